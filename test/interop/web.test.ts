import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rxAmanda } from '../support/program.js';
import { describeReal, type Lab, oddTree, openLab, programs } from '../support/real-amanda.js';
import { chosenEvent, connectionButton, describeInBrowser } from '../web/browser/chromium.js';

/** A tap with a page: where it listens, and where the page is. */
interface TapWithPage {
  readonly port: number;
  readonly url: string;
  readonly end: () => Promise<void>;
}

async function startTap(target: number): Promise<TapWithPage> {
  const child: ChildProcess = spawn(
    process.execPath,
    [rxAmanda, 'tap', '--web', '0', '0', `127.0.0.1:${target}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const closed = once(child, 'close');
  const said: string[] = [];
  let port: number | undefined;
  let url: string | undefined;
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr as Readable }).on('line', (line) => {
      said.push(line);
      port ??= numberIn(/listening on 127\.0\.0\.1 port (\d+)/.exec(line)?.[1]);
      url ??= /http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\//.exec(line)?.[0];
      if (port !== undefined && url !== undefined) resolve();
    });
    child.once('exit', () => reject(new Error(said.join('\n'))));
  });
  const end = async (): Promise<void> => {
    child.kill('SIGINT');
    await closed;
  };
  return { port: port ?? 0, url: url ?? '', end };
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

describeReal('the page of a tap', ['amandad', 'amdump'], () => {
  let lab: Lab;
  let tap: TapWithPage;

  beforeAll(async () => {
    lab = openLab();
    oddTree(join(lab.sandbox.directory, 'tree'));
    const { port } = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', 'amdump'],
    });
    tap = await startTap(port);
  });
  afterAll(async () => {
    await tap.end();
    await lab.close();
  });

  describeInBrowser('in a browser', ({ look }) => {
    it('shows a real amdump while it runs: its connections, and the lanes of its streams', async () => {
      const { page, problems } = await look(tap.url);
      await page.getByText('No program has connected to the tap yet.').waitFor();
      const config = lab.configure({
        name: 'watched',
        auth: 'bsdtcp',
        clientPort: tap.port,
        disks: [{ name: 'odd', path: join(lab.sandbox.directory, 'tree') }],
      });
      const dumping = lab.asBackup(programs.amdump, [config.name], { timeout: 100_000 });
      // Before it is over.
      await connectionButton(page, 1).locator('.title', { hasText: 'noop' }).waitFor();
      const dump = await dumping;
      expect(dump.code, dump.stdout + dump.stderr + lab.sandbox.logs()).toBe(0);

      const backup = page.locator('button.connection', { hasText: 'sendbackup' }).first();
      await backup.getByText('○ ended').waitFor();
      await backup.click();
      await page.getByRole('heading', { name: /: sendbackup/ }).waitFor();
      const names = await page.locator('#names .name').allTextContents();
      expect(names).toEqual(expect.arrayContaining(['sendbackup', 'DATA', 'MESG', 'INDEX']));
      await page.locator('#stage').focus();
      for (let step = 0; step <= names.indexOf('sendbackup'); step += 1)
        await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Home');
      const { title, text } = await chosenEvent(page);
      expect(title).toMatch(/^REQ sendbackup \S.* level 0$/);
      expect(text).toMatch(/^\\x00SECURITY USER backup\nSERVICE sendbackup\n/);
      expect(problems).toEqual([]);
    });
  });
});
