import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { authorize, readSecurity, type AccessRequest } from '../../src/access/authorize.js';
import { sourcePorts } from '../../src/access/reserved-port.js';
import { encodeFrame, FrameDecoder } from '../../src/wire/frame.js';
import { decodePacket, encodePacket, packet, packetText } from '../../src/wire/packet.js';
import { encodeText } from '../../src/wire/text.js';
import { describeReal, type Lab, openLab, programs } from '../support/real-amanda.js';

/** Debian's user and group that Amanda runs as. */
const BACKUP_ID = 34;

/**
 * A running amandad that is asked for services it does not run, so that only its access checks have
 * their say.
 */
class RealTarget {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #waiting = new Map<number, (answer: string) => void>();
  #handle = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const { handle, payload } of this.#decoder.push(chunk))
        if (payload.length > 0) this.#take(handle, payload);
    });
  }

  static async connect(port: number, { reserved = true } = {}): Promise<RealTarget> {
    for (const localPort of reserved ? sourcePorts({ first: 600 }) : [0]) {
      const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort });
      try {
        await once(socket, 'connect');
        return new RealTarget(socket);
      } catch (error) {
        if (!(
          error instanceof Error &&
          'code' in error &&
          (error.code === 'EADDRINUSE' || error.code === 'EADDRNOTAVAIL')
        ))
          throw error;
      }
    }
    throw new Error('no source port is free');
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** What amandad says to the body of a REQ: `allowed`, or its reason. */
  ask(body: string): Promise<string> {
    this.#handle += 1;
    const answer = new Promise<string>((resolve) => this.#waiting.set(this.#handle, resolve));
    this.#socket.write(
      encodeFrame({ handle: this.#handle, payload: encodePacket(packet('REQ', body)) }),
    );
    return answer;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(handle: number, payload: Uint8Array): void {
    const answer = decodePacket(payload);
    const text = packetText(answer).replace(/^ERROR ([^]*)\n$/, '$1');
    // The check after those of access refuses services that the command line does not name.
    this.#waiting.get(handle)?.(
      /: invalid service, add '.*' as argument to amandad$/s.test(text) ? 'allowed' : text,
    );
    this.#waiting.delete(handle);
  }
}

const localhost = { host: 'localhost', address: '127.0.0.1', port: 700 };

describeReal('access to a target', ['amandad'], () => {
  let lab: Lab;
  let port = 0;
  let real: RealTarget;
  let file = '';
  beforeAll(async () => {
    lab = openLab();
    file = join(lab.sandbox.home, '.amandahosts');
    ({ port } = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', '-no-exit', 'amdumpd'],
    }));
    real = await RealTarget.connect(port);
  });
  beforeEach(() => rmSync(file, { recursive: true, force: true }));
  afterAll(async () => {
    real.close();
    await lab.close();
  });

  function write(content: string, { mode = 0o600, owner = BACKUP_ID } = {}): void {
    writeFileSync(file, content);
    chownSync(file, owner, BACKUP_ID);
    chmodSync(file, mode);
  }

  function folder(mode: number): void {
    mkdirSync(file, { mode });
    chownSync(file, BACKUP_ID, BACKUP_ID);
  }

  /** What ours says; it runs as amandad's user, since what cannot be opened depends on that. */
  async function ours(...requests: readonly AccessRequest[]): Promise<readonly string[]> {
    process.seteuid?.(BACKUP_ID);
    try {
      const check = authorize({
        localUser: { name: 'backup', uid: BACKUP_ID, home: lab.sandbox.home },
      });
      const verdicts = await Promise.all(requests.map((request) => firstValueFrom(check(request))));
      return verdicts.map((verdict) =>
        verdict.kind === 'allowed'
          ? 'allowed'
          : verdict.reason.replaceAll(file, '/var/backups/.amandahosts'),
      );
    } finally {
      process.seteuid?.(0);
    }
  }

  /** Asks both for each service, and gives what both say. */
  async function agreed(
    user: string,
    asked: readonly string[] = services,
  ): Promise<readonly string[]> {
    const said = await Promise.all(
      asked.map((service) => real.ask(`SECURITY USER ${user}\nSERVICE ${service}\nOPTIONS ;\n`)),
    );
    expect(await ours(...asked.map((service) => ({ user, service, peer: localhost })))).toEqual(
      said,
    );
    return said;
  }

  const services = [
    'noop',
    'selfcheck',
    'sendsize',
    'sendbackup',
    'amdump',
    'senddiscover',
    'restore',
    'amindexd',
    'amidxtaped',
    'nosuch',
    'NOOP',
    'noop x',
  ];

  it.each([
    'localhost\n',
    'localhost backup\n',
    'localhost backup amdump\n',
    'localhost backup noop,amindexd\n',
    'localhost\tbackup\tamindexd\tnoop\n',
    'LOCALHOST BACKUP AMDUMP\n',
    'LOCALHOST BACKUP amdump\n',
    'localhost.localdomain backup amdump\n',
    'Localhost.LocalDomain backup restore,\n',
    '127.0.0.1 backup amdump\n',
    '# localhost backup amdump\n',
    'localhost backup amdump # trailing\n',
    '* backup amdump\n+ +\n',
    'localhost backup amindexd\nlocalhost backup amdump\n',
    'localhost backup amdump\nlocalhost backup amindexd\n',
    'localhost backup ,\n',
    'localhost backup , , amindexd\n',
    'localhost backup, noop\n',
    'localhost, backup noop\n',
    '\n\n   localhost   backup   amdump\n',
    ' \t \nlocalhost backup amdump',
    'localhost backup amdump\r\n',
    'localhost backup\r\n',
    'localhost backup amdump \r\n',
    'localhost backup\0 amindexd\n',
    'localhost bac\u212aup\n',
    '\ufefflocalhost backup\n',
    '',
  ])('is decided the same by the file %j', async (content) => {
    write(content);
    await agreed('backup');
  });

  it('is decided the same by files of long lines', async () => {
    const lines = ['x'.repeat(998), 'x'.repeat(999), 'x'.repeat(70_000)].map(
      (long) => `${long}\nlocalhost backup\n`,
    );
    for (const content of [...lines, `localhost backup ${'x '.repeat(3000)}noop\n`]) {
      write(content);
      expect(await agreed('backup')).toContain('allowed');
    }
  });

  it('is decided the same by 200 files at random', async () => {
    const word = fc.constantFrom(
      'localhost',
      'LocalHost',
      'localhost.localdomain',
      'vm',
      'backup',
      'm\u00fc',
      '#',
      'noop',
      'sendsize',
      'amdump',
      'amindexd',
      'nosuch',
      ',',
    );
    const blank = fc.constantFrom(' ', ' ', ' ', '\t', '  ', ', ', ',', '\r', '\f', '\0', '\n', '');
    const head = fc.constantFrom(
      'localhost backup ',
      'LOCALHOST BackUp\t',
      'localhost m\u00fc ',
      'localhost',
      '',
      ' ',
    );
    const line = fc
      .tuple(head, fc.array(fc.tuple(word, blank), { maxLength: 5 }))
      .map(([start, rest]) => start + rest.flat().join(''));
    const user = fc.constantFrom(
      'backup',
      'backup',
      'BACKUP',
      'm\u00fc',
      'backup ',
      ' backup',
      'a b',
      'noop',
    );
    const counts = { allowed: 0, asked: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 4 }),
        user,
        async (lines, asking) => {
          write(lines.join('\n'));
          const said = await agreed(asking);
          counts.asked += said.length;
          counts.allowed += said.filter((answer) => answer === 'allowed').length;
        },
      ),
      { seed: 351, numRuns: 200 },
    );
    expect(counts.allowed).toBeGreaterThan(100);
    expect(counts.allowed).toBeLessThan(counts.asked / 2);
  });

  it.each<[string, () => void]>([
    ['is read-only', () => write('localhost\n', { mode: 0o400 })],
    ['may be read by its group', () => write('localhost\n', { mode: 0o640 })],
    ['may be executed by others', () => write('localhost\n', { mode: 0o601 })],
    ['may be read by no user', () => write('localhost\n', { mode: 0 })],
    ['is another’s', () => write('localhost\n', { owner: 0 })],
    ['is another’s and open to all', () => write('localhost\n', { owner: 0, mode: 0o644 })],
    ['is missing', () => undefined],
    ['is a link into nothing', () => symlinkSync('nothing', file)],
    ['is a link to itself', () => symlinkSync('.amandahosts', file)],
    ['is below a file', () => symlinkSync('/etc/passwd/x', file)],
    ['has too long a name', () => symlinkSync('x'.repeat(300), file)],
    ['is a folder of its owner', () => folder(0o700)],
    ['is a folder open to all', () => folder(0o755)],
    ['is a device', () => symlinkSync('/dev/null', file)],
  ])('is decided the same when the file %s', async (_title, make) => {
    make();
    await agreed('backup', ['noop', 'amindexd', 'nosuch']);
  });

  it('is decided the same when the file is reached by a link', async () => {
    writeFileSync(join(lab.sandbox.home, 'elsewhere'), 'localhost\n', { mode: 0o600 });
    chownSync(join(lab.sandbox.home, 'elsewhere'), BACKUP_ID, BACKUP_ID);
    symlinkSync('elsewhere', file);
    expect(await agreed('backup', ['noop', 'nosuch'])).toEqual([
      'allowed',
      expect.stringMatching(/invalid service nosuch$/),
    ]);
  });

  it.each([
    'SECURITY USER',
    'SECURITY USER ',
    'SECURITY   ',
    'SECURITY ',
    'SECURITY HOST x',
    'SECURITY user backup',
    'SECURITY  USER backup',
    'SECURITY USER  backup',
  ])('is decided the same by the line %j', async (line) => {
    write('localhost\n');
    const body = `${line}\nSERVICE noop\nOPTIONS ;\n`;
    expect(await ours({ ...readSecurity(encodeText(body)), peer: localhost })).toEqual([
      await real.ask(body),
    ]);
  });

  it('is decided the same without the SERVICE line, the SECURITY line, or both', async () => {
    write('localhost\n');
    for (const body of [
      'SECURITY USER backup\nOPTIONS ;\n',
      'SERVICE noop\nOPTIONS ;\n',
      'OPTIONS ;\n',
    ]) {
      expect(await ours({ ...readSecurity(encodeText(body)), peer: localhost })).toEqual([
        await real.ask(body),
      ]);
    }
  });

  it('is decided the same for a source port that anybody may have, before all else', async () => {
    const other = await RealTarget.connect(port, { reserved: false });
    const peer = { ...localhost, port: other.localPort };
    for (const body of ['SECURITY USER backup\nSERVICE noop\nOPTIONS ;\n', '']) {
      expect(await ours({ ...readSecurity(encodeText(body)), peer })).toEqual([
        await other.ask(body),
      ]);
    }
    other.close();
  });
});
