import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The part of axe that is used here. */
interface Axe {
  readonly configure: (spec: { rules: { id: string; enabled: boolean }[] }) => void;
  readonly run: (
    document: Document,
    options: { runOnly?: readonly string[] },
  ) => Promise<{
    violations: { id: string; impact: string; nodes: { target: unknown[]; failureSummary?: string }[] }[];
  }>;
}

/** The rules of axe that a theme can break. */
const RULES_OF_COLOUR = ['color-contrast', 'link-in-text-block'];

/**
 * What axe finds, one line a place: rule, how grave, where, why. Names that lack the visible text count too.
 * @param rules `colours`: only those that depend on the theme
 */
export async function axeFindings(page: Page, rules: 'all' | 'colours' = 'all'): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  return page.evaluate(
    async (runOnly) => {
      const { axe } = window as unknown as { axe: Axe };
      axe.configure({
        rules: [
          { id: 'label-content-name-mismatch', enabled: true },
          { id: 'target-size', enabled: true },
        ],
      });
      const { violations } = await axe.run(document, runOnly === null ? {} : { runOnly });
      return violations.flatMap(({ id, impact, nodes }) =>
        nodes.map(({ target, failureSummary = '' }) =>
          [id, impact, target.join(' '), failureSummary].join(' | '),
        ),
      );
    },
    rules === 'all' ? null : RULES_OF_COLOUR,
  );
}

/**
 * Every piece of text that is seen with less than 4.5 : 1 (3 : 1 where it is large) against what it lies on, opacity of
 * all that is around it counted in. Text of controls that are switched off is left out.
 */
export function faintText(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    type Pixel = [red: number, green: number, blue: number, alpha: number];
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 1;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (context === null) throw new Error('no canvas');
    const known = new Map<string, Pixel>();
    const parse = (colour: string): Pixel => {
      const found = known.get(colour);
      if (found !== undefined) return found;
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0, alpha = 0] = context.getImageData(0, 0, 1, 1).data;
      const pixel: Pixel = [red, green, blue, alpha / 255];
      known.set(colour, pixel);
      return pixel;
    };
    const over = (top: Pixel, below: Pixel): Pixel => {
      const alpha = top[3] + below[3] * (1 - top[3]);
      const mix = (at: 0 | 1 | 2): number =>
        alpha === 0 ? 0 : (top[at] * top[3] + below[at] * below[3] * (1 - top[3])) / alpha;
      return [mix(0), mix(1), mix(2), alpha];
    };
    const luminance = ([red, green, blue]: Pixel): number => {
      const linear = (byte: number): number =>
        byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4;
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = node.textContent?.trim() ?? '';
      const parent = node.parentElement;
      if (text === '' || parent === null || parent.closest('script, style, option, .unseen') !== null)
        continue;
      if (!parent.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      if (parent.closest(':disabled, [aria-disabled="true"]') !== null) continue;
      if (parent.closest('label:has(:disabled)') !== null) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      const style = getComputedStyle(parent);
      let ink = parse(style.color);
      let ground: Pixel = [0, 0, 0, 0];
      for (let element: Element | null = parent; element !== null; element = element.parentElement) {
        const { backgroundColor, opacity } = getComputedStyle(element);
        ink = over(ink, parse(backgroundColor));
        ground = over(ground, parse(backgroundColor));
        ink = [ink[0], ink[1], ink[2], ink[3] * Number(opacity)];
        ground = [ground[0], ground[1], ground[2], ground[3] * Number(opacity)];
      }
      const paper: Pixel = [255, 255, 255, 1];
      const lights = [luminance(over(ink, paper)), luminance(over(ground, paper))];
      const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (isLarge ? 3 : 4.5)) {
        found.push(
          `${ratio.toFixed(2)} "${text.slice(0, 40)}" in ${parent.tagName}.${parent.getAttribute('class') ?? ''}`,
        );
      }
    }
    return found;
  });
}

/**
 * Controls of less than 24 x 24 CSS pixels that come too close to another (WCAG 2.5.8): a circle of 24 round the middle of
 * each must touch neither another control nor such a circle. Left out are kernels and values of pictures, whose size is
 * their meaning, and a line number, as high as its line of text.
 */
export function crampedTargets(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const CONTROLS =
      'button, a[href], input, select, textarea, summary, [role=tab], [role=switch], [role=slider], [role=menuitem]';
    const targets = [...document.querySelectorAll<HTMLElement>(CONTROLS)]
      .filter((element) => element.checkVisibility() && !element.matches(':disabled, .gutter'))
      .filter((element) => element.closest('[inert]') === null)
      // Behind a dialog nothing can be hit.
      .filter((element) => document.querySelector('dialog[open]')?.contains(element) ?? true)
      .map((element) => {
        const own = element.getBoundingClientRect();
        // A label is a part of its control.
        const label = element.closest('label')?.getBoundingClientRect();
        const isWider = label !== undefined && label.height >= own.height && label.width >= own.width;
        return { element, box: isWider ? label : own };
      })
      .filter(({ box }) => box.width > 0 && box.height > 0);
    const name = (element: HTMLElement): string =>
      `${element.tagName} ${element.ariaLabel ?? element.textContent.trim().slice(0, 30)}`;
    return targets.flatMap(({ element, box }, at) => {
      if (box.width >= 23.99 && box.height >= 23.99) return [];
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      const near = targets.find((other, index) => {
        if (index === at || other.element.contains(element) || element.contains(other.element)) return false;
        const { box: theirs } = other;
        if (theirs.x === box.x && theirs.y === box.y) return false;
        const isSmall = theirs.width < 24 || theirs.height < 24;
        const [dx, dy] = isSmall
          ? [theirs.x + theirs.width / 2 - x, theirs.y + theirs.height / 2 - y]
          : [Math.max(theirs.left - x, 0, x - theirs.right), Math.max(theirs.top - y, 0, y - theirs.bottom)];
        return Math.hypot(dx, dy) < (isSmall ? 23.99 : 11.99);
      });
      return near === undefined
        ? []
        : [`${name(element)}, ${String(box.width)} x ${String(box.height)}, near ${name(near.element)}`];
    });
  });
}
