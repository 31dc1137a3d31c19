import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { fakeEnvironment } from '../cli/fake-environment.js';
import { describeReal, oddTree, openLab, programs, type Lab } from '../support/real-amanda.js';
import { describeUnless, missingPrograms, notRoot } from '../support/skips.js';

const tcpdump = '/usr/bin/tcpdump';

/** The loopback's packets of a port, as the real tcpdump captures them. */
class Capture {
  readonly #child: ChildProcess;
  readonly #chunks: Buffer[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  static async start(port: number): Promise<Capture> {
    // With the buffer that it has by itself it loses packets of a dump.
    const child = spawn(
      tcpdump,
      [
        '-i',
        'lo',
        '-U',
        '--immediate-mode',
        '-B',
        '131072',
        '-w',
        '-',
        'tcp',
        'port',
        String(port),
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const capture = new Capture(child);
    onTestFinished(() => {
      child.kill('SIGINT');
    });
    // It says so once it listens.
    for (let said = ''; !said.includes('listening on');) {
      const [chunk] = (await once(child.stderr, 'data')) as [Buffer];
      said += chunk.toString();
    }
    return capture;
  }

  /**
   * Waits until this many connections have ended in both directions or were broken, and gives all
   * that was captured.
   */
  async ended(connections: number): Promise<Buffer> {
    for (;;) {
      const seen = this.#chunks.length;
      const file = Buffer.concat(this.#chunks);
      if (overIn(await frames(file)) >= connections) return file;
      if (this.#child.stdout !== null && this.#chunks.length === seen)
        await once(this.#child.stdout, 'data');
    }
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    await closed;
  }
}

/** How many connections are over. */
function overIn(steps: readonly Step[]): number {
  const numbers = [...new Set(steps.map(({ connection }) => connection))];
  const of = (number: number, kind: string): number =>
    steps.filter((step) => step.connection === number && step.kind === kind).length;
  return numbers.filter((number) => of(number, 'reset') > 0 || of(number, 'end') === 2).length;
}

interface Step {
  readonly connection: number;
  readonly kind: string;
  readonly sender?: string;
  readonly stream?: string;
  readonly text?: string;
  readonly bytes?: number;
}

async function draw(file: string, ...words: readonly string[]) {
  const fake = fakeEnvironment();
  const code = await main(['draw', file, ...words], fake.environment);
  return { code, out: fake.out(), err: fake.err() };
}

let place = '';

async function frames(capture: Buffer): Promise<readonly Step[]> {
  const file = join(place, 'so-far.pcap');
  writeFileSync(file, capture);
  const { out } = await draw(file, '--frames', '--json');
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Step);
}

describeUnless(
  missingPrograms(tcpdump) ?? notRoot(),
  'what tcpdump captures of real programs',
  () => {
    describeReal('is drawn', ['amandad', 'amservice', 'amdump'], () => {
      let lab: Lab;
      beforeAll(() => {
        lab = openLab();
        place = lab.sandbox.directory;
      });
      afterAll(() => lab.close());

      it('a noop of amservice: all its packets, in their order', async () => {
        const target = await lab.spawnTarget({
          command: programs.amandad,
          args: ['-auth=bsdtcp', 'amdump'],
        });
        const capture = await Capture.start(target.port);
        const { code } = await lab.asBackup(programs.amservice, [
          '-o',
          `client-port=${target.port}`,
          'localhost',
          'bsdtcp',
          'noop',
        ]);
        expect(code).toBe(0);
        const file = await capture.ended(1);
        await capture.stop();
        const steps = await frames(file);
        const packets = steps
          .filter(({ kind }) => !['open', 'end', 'reset', 'close'].includes(kind))
          .map(({ kind, sender }) => `${sender ?? ''} ${kind}`);
        expect(packets).toEqual(['initiator REQ', 'target ACK', 'target REP', 'initiator ACK']);
        expect(steps.filter(({ kind }) => kind === 'close')).toHaveLength(2);
        const saved = join(place, 'noop.pcap');
        writeFileSync(saved, file);
        expect(await draw(saved)).toMatchObject({
          code: 0,
          err: '',
          out: expect.stringMatching(/REQ.*ACK.*REP.*ACK/) as string,
        });
        await target.close();
      });

      it('an amdump: every stream with all its bytes', async () => {
        const tree = join(lab.sandbox.directory, 'tree');
        oddTree(tree);
        const target = await lab.spawnTarget({
          command: programs.amandad,
          args: ['-auth=bsdtcp', 'amdump'],
        });
        const config = lab.configure({
          auth: 'bsdtcp',
          clientPort: target.port,
          disks: [{ name: 'odd', path: tree }],
        });
        const capture = await Capture.start(target.port);
        const dump = await lab.asBackup(programs.amdump, [config.name]);
        expect(dump.code, dump.stdout + dump.stderr + lab.sandbox.logs()).toBe(0);
        // One for the estimate, one for the dump.
        const file = await capture.ended(2);
        await capture.stop();
        const steps = await frames(file);
        expect(steps.filter(({ kind }) => kind === 'stop')).toEqual([]);
        expect(
          steps.some(
            ({ kind, text }) => kind === 'REQ' && text?.includes('SERVICE sendbackup') === true,
          ),
        ).toBe(true);
        const messages = steps
          .filter(({ stream, kind }) => stream === 'MESG' && kind === 'data')
          .map(({ text }) => text)
          .join('');
        const size = Number(/sendbackup: native-CRC [0-9a-f]+:(\d+)/.exec(messages)?.[1]);
        const data = steps.filter(
          ({ stream, kind, sender }) => stream === 'DATA' && kind === 'data' && sender === 'target',
        );
        expect(data.reduce((sum, { bytes = 0 }) => sum + bytes, 0)).toBe(size);
        expect(messages).toContain('sendbackup: end');
        const saved = join(place, 'amdump.pcap');
        writeFileSync(saved, file);
        const drawn = await draw(saved);
        expect([drawn.code, drawn.err]).toEqual([0, '']);
        for (const name of ['sendsize', 'sendbackup', 'DATA', 'MESG', 'INDEX'])
          expect(drawn.out).toContain(name);
        await target.close();
      });
    });
  },
);
