import type { Privileges } from 'electron';
import { contentPolicy, pageHeaders, PLAIN_POLICY } from '../page/content-policy';
import type { PageFiles } from '../page/page-files';

export const SCHEME = 'gradscope';
const HOST = 'app';
/** The page has an origin of its own, which file:// would not give it, and reaches no file through it. */
export const PAGE_ADDRESS = `${SCHEME}://${HOST}/`;

export const PRIVILEGES: Privileges = {
  standard: true,
  secure: true,
  supportFetchAPI: true,
  codeCache: true,
};

/** Whether `url` is a part of the page. */
export function isPageUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host } = new URL(url);
  return protocol === `${SCHEME}:` && host === HOST;
}

/** Answers a request of the page for one of its files. */
export function answerPageRequest(page: PageFiles, request: Pick<Request, 'method' | 'url'>): Response {
  const refuse = (status: number): Response =>
    new Response(null, { status, headers: pageHeaders(PLAIN_POLICY) });
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
  const file = isPageUrl(request.url) ? page.get(new URL(request.url).pathname) : undefined;
  if (file === undefined) return refuse(404);
  return new Response(file.bytes, {
    headers: { ...pageHeaders(contentPolicy()), 'Content-Type': file.type },
  });
}
