import { expect, type Locator, type Page } from '@playwright/test';
import type { ConsoleStatus } from '../../src-renderer/console';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Kind = 'weight' | 'gradient' | 'update';

export interface PageTensor {
  readonly shape: readonly number[];
  readonly step: number;
  readonly phase: string | null;
  readonly freshness: string;
  readonly values: readonly number[];
}

/** The page as a person meets it, by roles and names, and what it says of itself on the console. */
export class GradscopePage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async open(address: string): Promise<void> {
    await this.page.goto(address);
    await expect(this.button('Play').or(this.button('Pause'))).toBeVisible();
    await this.idle();
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  radio(name: string): Locator {
    return this.page.getByRole('radio', { name, exact: true });
  }

  /** One of `Run state`, `Step`, `Epoch`, `Phase`. */
  status(name: string): Locator {
    return this.page.getByRole('status', { name, exact: true });
  }

  /** Where each kernel is on the screen, by its name. */
  async kernelBoxes(): Promise<Map<string, Box>> {
    const boxes = await this.page.getByRole('gridcell').evaluateAll((cells) =>
      cells.map((cell): [string, Box] => {
        const { x, y, width, height } = cell.getBoundingClientRect();
        return [cell.getAttribute('aria-label') ?? '', { x, y, width, height }];
      }),
    );
    return new Map(boxes);
  }

  kernel(name: string): Locator {
    return this.page.getByRole('gridcell', { name, exact: true });
  }

  /** Until nothing is asked, nothing is to be drawn and, standing, the picture is that of now. */
  async idle(): Promise<void> {
    await this.page.evaluate(() => window.gradscope.waitForIdle());
  }

  state(): Promise<ConsoleStatus> {
    return this.page.evaluate(() => window.gradscope.status());
  }

  async finishedSteps(): Promise<number> {
    return (await this.state()).step;
  }

  async tensor(name: string, kind: Kind): Promise<PageTensor> {
    return this.page.evaluate(
      async ([tensorName, tensorKind]) => {
        const found = await window.gradscope.tensor(tensorName, tensorKind);
        return { ...found, values: Array.from(found.values) };
      },
      [name, kind] as const,
    );
  }

  /** Presses a step button and waits until it has been done and drawn. */
  async step(unit: 'phase' | 'layer' | 'batch' | 'epoch'): Promise<void> {
    await this.button(`Step ${unit}`).click();
    await this.idle();
  }

  async pause(): Promise<void> {
    await this.button('Pause').click();
    await expect(this.button('Play')).toBeVisible();
    await this.idle();
  }

  /** Plays until at least so many steps are done, and pauses. */
  async playTo(step: number): Promise<void> {
    await this.button('Play').click();
    await this.reaches(step);
    await this.pause();
  }

  async reaches(step: number): Promise<void> {
    await expect.poll(() => this.finishedSteps(), { timeout: 120_000 }).toBeGreaterThanOrEqual(step);
  }

  /** Returns after Chromium has drawn `count` more animation frames. */
  async animationFrames(count: number): Promise<void> {
    await this.page.evaluate(
      (frames) =>
        new Promise<void>((resolve) => {
          const next = (left: number): void => {
            if (left === 0) resolve();
            else requestAnimationFrame(() => next(left - 1));
          };
          next(frames);
        }),
      count,
    );
  }
}
