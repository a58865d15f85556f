import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { GradscopeError } from '../../src-shared/protocol/errors';

export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What the page's build emits. Anything else in its folder is not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * The built page, read once: URL path -> file. A request is a look-up in this map and never a path on the disk, so no
 * request can leave the folder.
 */
export class PageFiles {
  private readonly files: ReadonlyMap<string, PageFile>;

  constructor(files: ReadonlyMap<string, PageFile>) {
    this.files = files;
  }

  /** `/` is index.html. */
  get(path: string): PageFile | undefined {
    return this.files.get(path === '/' ? '/index.html' : path);
  }
}

/** @throws GradscopeError `internal` when the page has not been built. */
export async function readPageFiles(folder: string): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  try {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const type = TYPES[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const path = join(entry.parentPath, entry.name);
      const bytes = Uint8Array.from(await readFile(path));
      files.set(`/${relative(folder, path).split(sep).join('/')}`, { type, bytes });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (!files.has('/index.html')) {
    throw new GradscopeError(
      'internal',
      `The page has not been built: ${join(folder, 'index.html')} is missing (npm run build makes it).`,
    );
  }
  return new PageFiles(files);
}
