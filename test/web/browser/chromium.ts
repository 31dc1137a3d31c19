import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { describeUnless, missingPrograms } from '../../support/skips.js';
import { serveFake, type Served } from '../serving.js';
import type { TapPageOptions } from '../../../src/cli/web/serve-tap-page.js';

/** Debian's. */
const program = '/usr/bin/chromium';

/** What a test of the page gets. */
export interface Looking {
  /** Serves a page and opens it. */
  readonly open: (options?: LookOptions) => Promise<Seen>;
  readonly serve: (options?: Partial<TapPageOptions>) => Promise<Served>;
  /** Opens a page that is already served. */
  readonly look: (url: string, options?: LookOptions) => Promise<Watched>;
}

export interface LookOptions extends Partial<TapPageOptions> {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  /** Runs before the page is opened. */
  readonly before?: (served: Served) => void;
}

/** A page, and the problems that it reported. */
export interface Watched {
  readonly page: Page;
  /** Errors, violations of the page's policy, and dialogs. */
  readonly problems: string[];
  readonly requests: string[];
}

export type Seen = Served & Watched;

/** Tests in a real browser, which starts once. */
export function describeInBrowser(name: string, body: (looking: Looking) => void): void {
  describeUnless(missingPrograms(program), name, () => {
    let browser: Browser;
    let servings: Served[] = [];
    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: program,
        args: ['--no-sandbox', '--enable-precise-memory-info'],
      });
    });
    afterEach(async () => {
      for (const context of browser.contexts()) await context.close();
      for (const { serving } of servings) serving.unsubscribe();
      servings = [];
    });
    afterAll(() => browser.close());

    const look: Looking['look'] = async (
      url,
      { width = 1280, height = 800, scheme = 'light' } = {},
    ) => {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
      const watched: Watched = { page, problems: [], requests: [] };
      page.on('pageerror', (error) => watched.problems.push(error.message));
      page.on('console', (message) => watched.problems.push(message.text()));
      page.on('dialog', (dialog) => {
        watched.problems.push(`dialog ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('request', (request) => watched.requests.push(request.url()));
      await page.goto(url);
      return watched;
    };
    const serve: Looking['serve'] = async (options) => {
      const served = await serveFake(options);
      servings.push(served);
      return served;
    };
    const open: Looking['open'] = async (options = {}) => {
      const served = await serve(options);
      options.before?.(served);
      return { ...served, ...(await look(served.url, options)) };
    };
    body({ open, serve, look });
  });
}

/** The button of a connection in the list. */
export function connectionButton(page: Page, id: number) {
  return page
    .locator('button.connection')
    .filter({ has: page.locator('.title', { hasText: new RegExp(`^${id} `) }) });
}

/** The details of the chosen event. */
export async function chosenEvent(page: Page): Promise<{
  readonly title: string;
  readonly facts: string;
  readonly text: string;
  readonly hex: string;
}> {
  const [title, facts, text, hex] = await Promise.all(
    ['#event-title', '#event-facts', '#event-text', '#event-hex'].map((id) =>
      page.locator(id).textContent(),
    ),
  );
  return { title: title ?? '', facts: facts ?? '', text: text ?? '', hex: hex ?? '' };
}
