import { expect, it } from 'vitest';
import type { FakeTap } from '../fake-tap.js';
import { describeInBrowser } from './chromium.js';

const EVENTS = 10_000;
const STREAMS = ['DATA', 'DATA', 'MESG', 'INDEX'] as const;

/** A connection that has been open for ten seconds, with a lane for each stream. */
function openBusy(tap: FakeTap): void {
  tap.open(1, { at: Date.now() - 10_000 });
  tap.lane(1, 'c');
  for (const name of new Set(STREAMS)) tap.lane(1, `c/${name}`, { direction: 'in', under: 'c' });
}

function send(tap: FakeTap, from: number, to: number): void {
  for (let index = from; index < to; index += 1) {
    const event = {
      kind: 'chunk',
      at: index,
      bytes: 1 + ((index * 7_919) % 32_768),
      label: 'chunk',
      preview: new Uint8Array(96),
    } as const;
    tap.event(1, `c/${STREAMS[index % 4] ?? 'DATA'}`, event);
  }
}

/** Collects the time between frames, in milliseconds. */
const watchFrames = `
  window.__frames = [];
  let last = performance.now();
  requestAnimationFrame(function frame(now) { window.__frames.push(now - last); last = now; requestAnimationFrame(frame); });
`;

describeInBrowser('ten thousand events', ({ open }) => {
  it('arrive while the page stays smooth, and stay smooth when they are scrolled and zoomed', async () => {
    const { page, tap, problems } = await open();
    openBusy(tap);
    await page.locator('#names .name', { hasText: 'INDEX' }).waitFor();
    await page.evaluate(watchFrames);
    // Takes about two seconds, paced by the page's own frames.
    for (let sent = 0; sent < EVENTS; sent += 100) {
      send(tap, sent, sent + 100);
      await page.evaluate('new Promise(requestAnimationFrame)');
    }
    await page.locator('#conversation-about', { hasText: '10,000 events' }).waitFor();
    const arriving = await frames();
    expect(await page.locator('#conversation-about').textContent()).not.toContain('kept');

    await page.getByRole('button', { name: 'Fit' }).click();
    await page.locator('#stage').focus();
    await page.evaluate('window.__frames.length = 0');
    for (const key of [
      '+',
      '+',
      '-',
      '-',
      '-',
      '+',
      '+',
      'Shift+ArrowLeft',
      'Shift+ArrowRight',
      '0',
    ]) {
      await page.keyboard.press(key);
      await page.evaluate(
        'new Promise((done) => { let n = 5; requestAnimationFrame(function next() { n -= 1; if (n > 0) requestAnimationFrame(next); else done(); }); })',
      );
    }
    const moving = await frames();
    const heap = Number(await page.evaluate('performance.memory.usedJSHeapSize'));
    console.log(
      `Frames while 10,000 events arrive: ${arriving.words}; while they are zoomed and scrolled: ${moving.words}. Memory of the page: ${(heap / 1e6).toFixed(1)} MB.`,
    );
    // On a shared machine, some frames take longer.
    expect(arriving.p95).toBeLessThan(100);
    expect(moving.p95).toBeLessThan(100);
    expect(heap).toBeLessThan(100e6);
    expect(problems).toEqual([]);

    async function frames(): Promise<{ readonly p95: number; readonly words: string }> {
      const times = (await page.evaluate<number[]>('window.__frames')).toSorted((a, b) => a - b);
      const part = (share: number): number =>
        times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Infinity;
      const words = `${times.length} of them, median ${part(0.5).toFixed(1)} ms, p95 ${part(0.95).toFixed(1)} ms, longest ${part(1).toFixed(1)} ms`;
      return { p95: part(0.95), words };
    }
  });

  it('are all there for a page that comes late', async () => {
    const { page } = await open({
      before: ({ tap }) => {
        openBusy(tap);
        send(tap, 0, EVENTS);
      },
    });
    await page.locator('#conversation-about', { hasText: '10,000 events' }).waitFor();
    await page.waitForFunction(
      `!document.querySelector('#conversation-about').textContent.includes('kept')`,
    );
  });
});
