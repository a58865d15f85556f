import type { Page } from '@playwright/test';

/**
 * Texts on the screen that cannot be read: cut off where nothing scrolls and no ellipsis says so, on another text, or touching
 * one on the same line. Each as a sentence. What lies over the page (tooltips, drawers, dialogs) is compared with itself only.
 */
export function textFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    interface Seen {
      readonly node: Node;
      readonly text: string;
      readonly layer: Element;
      readonly place: string;
      readonly left: number;
      readonly top: number;
      readonly right: number;
      readonly bottom: number;
    }
    /** Of a text, CSS pixels: less is a shadow or an antialiased edge. */
    const NOTICED = 1.5;
    const OVERLAYS =
      '.tip, .hover-tip, .arithmetic, .drawer, .draw-panel, dialog, .engine-menu, [data-radix-popper-content-wrapper]';
    const faults: string[] = [];
    const seen: Seen[] = [];
    const placeOf = (element: Element): string => {
      const names: string[] = [];
      for (let at: Element | null = element; at !== null && names.length < 4; at = at.parentElement) {
        const name = typeof at.className === 'string' ? at.className.split(' ')[0] : '';
        names.unshift(name === '' || name === undefined ? at.tagName.toLowerCase() : `.${name}`);
      }
      return names.join(' ');
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      const text = node.nodeValue ?? '';
      if (element === null || text.trim() === '') continue;
      if (element.closest('.unseen, option, script, style') !== null) continue;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        // The line box of a font is higher than its letters.
        const spare = box.height * 0.2;
        let { left, right } = box;
        let top = box.top + spare;
        let bottom = box.bottom - spare;
        let isCut = false;
        let hidden = false;
        for (let at: Element | null = element; at !== null; at = at.parentElement) {
          const style = getComputedStyle(at);
          const clips = style.overflowX !== 'visible' || /strict|paint|content/u.test(style.contain);
          if (!clips) continue;
          const clip = at.getBoundingClientRect();
          const inner = { left: clip.left + at.clientLeft, top: clip.top + at.clientTop };
          const end = { right: inner.left + at.clientWidth, bottom: inner.top + at.clientHeight };
          hidden =
            left >= end.right - NOTICED ||
            right <= inner.left + NOTICED ||
            top >= end.bottom - NOTICED ||
            bottom <= inner.top + NOTICED;
          if (hidden) break;
          const cutsAcross = left < inner.left - NOTICED || right > end.right + NOTICED;
          const cutsDown = top < inner.top - NOTICED || bottom > end.bottom + NOTICED;
          const scrollsAcross = /auto|scroll/u.test(style.overflowX) && at.scrollWidth > at.clientWidth;
          const scrollsDown = /auto|scroll/u.test(style.overflowY) && at.scrollHeight > at.clientHeight;
          const says = style.textOverflow === 'ellipsis';
          if ((cutsAcross && !scrollsAcross && !says) || (cutsDown && !scrollsDown)) isCut = true;
          left = Math.max(left, inner.left);
          right = Math.min(right, end.right);
          top = Math.max(top, inner.top);
          bottom = Math.min(bottom, end.bottom);
        }
        if (hidden) continue;
        if (isCut) faults.push(`cut off: "${text.trim()}" in ${placeOf(element)}`);
        const layer = element.closest(OVERLAYS) ?? document.body;
        seen.push({ node, text, layer, place: placeOf(element), left, top, right, bottom });
      }
    }
    seen.sort((one, other) => one.top - other.top);
    seen.forEach((one, index) => {
      for (let at = index + 1; at < seen.length; at += 1) {
        const other = seen[at];
        if (other === undefined || other.top >= one.bottom - NOTICED) break;
        // A text that ends in an ellipsis has two boxes.
        if (other.node === one.node) continue;
        if (other.layer !== one.layer || Math.min(one.bottom, other.bottom) - other.top < NOTICED) continue;
        const [first, second] = one.left <= other.left ? [one, other] : [other, one];
        const gap = second.left - first.right;
        const words = `"${first.text.trim()}" in ${first.place} and "${second.text.trim()}" in ${second.place}`;
        if (gap < -NOTICED) faults.push(`on each other: ${words}`);
        else if (gap < NOTICED && /[\w%]$/u.test(first.text) && /^[\w\u2212±|]/u.test(second.text))
          faults.push(`touch: ${words}`);
      }
    });
    return [...new Set(faults)];
  });
}
