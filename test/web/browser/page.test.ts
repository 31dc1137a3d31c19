import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parseXml } from '../../diagram/xml.js';
import { ask } from '../serving.js';
import { openTunnel } from './tunnel.js';
import { chosenEvent, connectionButton, describeInBrowser } from './chromium.js';

describeInBrowser('the page', ({ open, serve, look }) => {
  it('says that it waits while there is no connection', async () => {
    const { page, problems } = await open();
    await page.getByText('No program has connected to the tap yet.').waitFor();
    await page.locator('#link', { hasText: 'live' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('shows a conversation as it goes on: its state, its service, its lanes, what it comes to', async () => {
    const { page, tap } = await open();
    tap.open(1);
    await connectionButton(page, 1).getByText('● open').waitFor();
    tap.lane(1, 'c');
    tap.lane(1, 'c/sendbackup', { under: 'c' });
    tap.event(1, 'c/sendbackup', {
      kind: 'packet',
      type: 'REQ',
      at: 1,
      bytes: 300,
      label: 'REQ sendbackup',
      direction: 'out',
    });
    await page.getByRole('heading', { name: 'Connection 1: sendbackup' }).waitFor();
    tap.lane(1, 'c/DATA', { direction: 'in', under: 'c' });
    tap.event(1, 'c/DATA', { kind: 'chunk', at: 2, bytes: 3 << 20, label: '3145728 bytes' });
    await connectionButton(page, 1)
      .locator('.totals', { hasText: '→ 300 B   ← 3 MiB   2 events' })
      .waitFor();
    await connectionButton(page, 1)
      .locator('.rates', { hasText: /← [\d.]+ MiB\/s/ })
      .waitFor();
    expect(await page.locator('#names .name').allTextContents()).toEqual([
      'c',
      'sendbackup',
      'DATA',
    ]);
    expect(await page.locator('#names .arrow').allTextContents()).toEqual(['', '⇄', '←']);
    tap.close(1, { reason: 'The target has ended.' });
    await connectionButton(page, 1).getByText('○ ended').waitFor();
    await page.locator('#conversation-about', { hasText: 'The target has ended.' }).waitFor();
  });

  it('shows a backup that was recorded with a real Amanda, its streams by name', async () => {
    const { page, problems } = await open({ before: ({ tap }) => tap.replay(1, 'amdump.3') });
    await page.getByRole('heading', { name: 'Connection 1: sendbackup' }).waitFor();
    expect(await page.locator('#names .name').allTextContents()).toEqual([
      'connection 1',
      'sendbackup',
      'MESG',
      'STATE',
      'DATA',
      'INDEX',
    ]);
    expect(problems).toEqual([]);
  });

  it('shows the size, the time, the text and the bytes of an event that is clicked', async () => {
    const { page, tap } = await open();
    tap.open(1, { at: Date.now() - 2_000 });
    tap.lane(1, 'c');
    tap.lane(1, 'c/MESG', { direction: 'in', under: 'c' });
    tap.event(1, 'c/MESG', {
      kind: 'chunk',
      at: 1_000,
      bytes: 20,
      label: '20 bytes',
      preview: new Uint8Array(Buffer.from('sendbackup: end\n\0\u0001')),
    });
    tap.close(1);
    await page.locator('#follow[disabled]').waitFor();
    await page.locator('#names .name', { hasText: 'MESG' }).waitFor();
    // The only event: it is 2 % from the left, where the visible range begins.
    const box = await page.locator('#canvas').boundingBox();
    if (box === null) throw new Error('The canvas is not shown.');
    await page.mouse.click(box.x + box.width * 0.02, box.y + 26 + 46 * 1.5 + 6);
    await page.locator('#event-title', { hasText: '20 bytes' }).waitFor();
    const { facts, text, hex } = await chosenEvent(page);
    expect(facts).toContain('from the target to the initiator');
    expect(facts).toContain('1 s after the beginning');
    expect(text).toBe('sendbackup: end\n\\x00\\x01');
    expect(hex.split('\n')).toEqual([
      '0000  73 65 6e 64 62 61 63 6b  75 70 3a 20 65 6e 64 0a  sendbackup: end.',
      '0010  00 01                                             ..',
    ]);
    expect(await page.locator('#event-hint').textContent()).toBe('The first 18 bytes of 20:');
  });

  it('is walked with the keys: from event to event, and from lane to lane', async () => {
    const { page } = await open({ before: ({ tap }) => tap.replay(1, 'amdump.3') });
    await page.getByRole('heading', { name: 'Connection 1: sendbackup' }).waitFor();
    await page.locator('#stage').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Home');
    const first = await chosenEvent(page);
    expect(first.title).toBe('REQ sendbackup amgtar level 0');
    expect(first.text).toContain('SERVICE sendbackup\n');
    await page.keyboard.press('ArrowRight');
    expect((await chosenEvent(page)).title).toBe('ACK');
    await page.keyboard.press('ArrowDown');
    expect((await chosenEvent(page)).facts).toContain('MESG');
    await page.keyboard.press('Escape');
    expect((await chosenEvent(page)).title).toBe('No event chosen');
  });

  it('takes keys as soon as it is loaded, and after a click on a button', async () => {
    const { page } = await open({ before: ({ tap }) => tap.replay(1, 'amdump.3') });
    await page.getByRole('heading', { name: 'Connection 1: sendbackup' }).waitFor();
    await page.keyboard.press('ArrowRight');
    expect((await chosenEvent(page)).title).not.toBe('No event chosen');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Fit' }).click();
    await page.keyboard.press('ArrowRight');
    expect((await chosenEvent(page)).title).not.toBe('No event chosen');
  });

  it('is the same after a reload: the connection that was chosen, its lanes and its events', async () => {
    const { page, tap } = await open();
    for (const [index, name] of ['noop.1', 'amdump.3', 'selfcheck.1'].entries())
      tap.replay(index + 1, name);
    await connectionButton(page, 2).click();
    await page.getByRole('heading', { name: 'Connection 2: sendbackup' }).waitFor();
    const seen = async (): Promise<readonly string[]> =>
      (
        await Promise.all(
          ['#connections', '#conversation-title', '#conversation-about', '#names'].map((id) =>
            page.locator(id).textContent(),
          ),
        )
      ).map(String);
    await page.locator('#zoom', { hasText: 's' }).waitFor();
    const before = await seen();
    await page.reload();
    await page.getByRole('heading', { name: 'Connection 2: sendbackup' }).waitFor();
    await page.locator('#names li').nth(5).waitFor();
    expect(await seen()).toEqual(before);
  });

  it('says that the tap is out of reach when its connection is cut, and goes on where it was when it is back', async () => {
    const { tap, url, port } = await serve();
    const tunnel = await openTunnel(port);
    tap.open(1);
    tap.lane(1, 'c');
    tap.event(1, 'c', { kind: 'value', at: 1, label: 'before' });
    const { page, requests } = await look(url.replace(`:${port}/`, `:${tunnel.port}/`));
    await page.locator('#conversation-about', { hasText: '1 event' }).waitFor();
    tunnel.cut();
    await page.locator('#link.bad', { hasText: 'The tap cannot be reached' }).waitFor();
    tap.event(1, 'c', { kind: 'value', at: 2, label: 'meanwhile' });
    await page.locator('#conversation-about', { hasText: '2 events' }).waitFor();
    // The page shows the old events and those that it missed.
    expect(await page.locator('#conversation-about').textContent()).not.toContain('kept');
    expect(await page.locator('#link').textContent()).toBe('live');
    expect(requests.filter((one) => one.endsWith('/events'))).toHaveLength(2);
    tunnel.close();
  });

  it('saves what is in sight as a picture that is well-formed', async () => {
    const { page } = await open({ before: ({ tap }) => tap.replay(1, 'amdump.3') });
    await page.getByRole('heading', { name: 'Connection 1: sendbackup' }).waitFor();
    await page.locator('#zoom', { hasText: 's' }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save SVG' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('connection-1.svg');
    const svg = await readFile(await download.path(), 'utf8');
    expect(() => parseXml(svg)).not.toThrow();
    for (const word of ['Connection 1: sendbackup', 'DATA', 'INDEX', 'complete'])
      expect(svg).toContain(word);
  });

  it('sends requests to its own server only', async () => {
    const { page, requests, url, port } = await open({
      before: ({ tap }) => tap.replay(1, 'amdump.3'),
    });
    await page.getByRole('heading', { name: 'Connection 1: sendbackup' }).waitFor();
    expect(requests.filter((one) => !one.startsWith(url) && !one.startsWith('data:'))).toEqual([]);
    expect(requests).toContain(`${url}events`);
    expect((await ask(port, '/events')).status).toBe(401);
  });

  it('is usable at 800 pixels: nothing runs out of the window', async () => {
    const { page } = await open({
      width: 800,
      height: 900,
      before: ({ tap }) => tap.replay(1, 'amdump.3'),
    });
    await page.getByRole('heading', { name: 'Connection 1: sendbackup' }).waitFor();
    const width = await page.evaluate('document.documentElement.scrollWidth');
    expect(width).toBe(800);
    await page.getByRole('button', { name: 'Save SVG' }).click({ trial: true });
  });
});
