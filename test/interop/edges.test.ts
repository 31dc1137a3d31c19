import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hex, packetBytes, packetPayload, textBytes, withHeader } from '../../src/testing/bytes.js';
import { edgeScripts } from '../support/edges.js';
import { RawPeer } from '../support/raw-peer.js';
import {
  describeReal,
  everyone,
  type Lab,
  openLab,
  programs,
  type Target,
} from '../support/real-amanda.js';
import { rxAmandad } from '../support/program.js';
import { allServices } from '../support/rx-amandad.js';

const features = 'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n';
const request = (service: string, rest = features): string =>
  `SECURITY USER backup\nSERVICE ${service}\n${rest}`;
const noop = (handle: number): Uint8Array => packetBytes(handle, 'REQ', request('noop'));
const amindexd = packetBytes(
  1,
  'REQ',
  request('amindexd', features.replace('\n', 'auth=bsdtcp;\n')),
);
const disk =
  '<dle>\n  <program>GNUTAR</program>\n  <disk>/etc</disk>\n  <level>0</level>\n  <auth>bsdtcp</auth>\n</dle>\n';
/** Asks for something that takes a moment, by an initiator that takes no PREP. */
const estimate = (handle: number): Uint8Array =>
  packetBytes(handle, 'REQ', request('sendsize', features.replace('9efefb', '9efeeb') + disk));
const ack = (handle: number): Uint8Array => packetBytes(handle, 'ACK');
const close = (handle: number): Uint8Array => withHeader(handle, hex(''));
const answered = ['ACK ', `REP ${features}`, 'close'];
const STREAM = 499_999;
/** The kind of a packet and the first word of its body. */
const words = (said: string): string => said.split(/[ \n]/).slice(0, 2).join(' ').trim();

/** What an initiator does with a fresh connection, and what it tells of it. */
type Act<T> = (peer: RawPeer) => Promise<T> | T;

it('every recorded edge is in the table of docs/edges.md', () => {
  const page = readFileSync(new URL('../../docs/edges.md', import.meta.url), 'utf8');
  const named = new Set(page.match(/edge-\w+(\.\d+)?/g));
  const names = edgeScripts().map(({ name }) => name);
  expect(
    names.filter((name) => !named.has(name) && !named.has(name.replace(/\.\d+$/, ''))),
  ).toEqual([]);
});

describeReal('at the edges, rx-amandad beside the real amandad', ['amandad'], () => {
  let lab: Lab;
  let real: Target;
  let ours: Target;
  beforeAll(async () => {
    lab = openLab();
    real = await lab.spawnTarget({
      command: programs.amandad,
      args: ['-auth=bsdtcp', ...allServices],
    });
    ours = await lab.spawnTarget({
      command: process.execPath,
      args: [rxAmandad, '-auth=bsdtcp', ...allServices],
    });
  });
  afterAll(() => lab.close());

  async function asked<T>({ port }: Target, act: Act<T>): Promise<T> {
    const peer = await RawPeer.connect(port);
    try {
      return await act(peer);
    } finally {
      peer.close();
    }
  }

  /** What both tell. */
  async function both<T>(act: Act<T>): Promise<{ readonly real: T; readonly ours: T }> {
    const [one, other] = await Promise.all([asked(real, act), asked(ours, act)]);
    return { real: one, ours: other };
  }

  /** That both tell the same. */
  async function agree<T>(act: Act<T>, expected: T): Promise<void> {
    expect(await both(act)).toEqual({ real: expected, ours: expected });
  }

  /** Waits for a reply, confirms it, and waits for the close. */
  async function complete(peer: RawPeer, handle: number): Promise<readonly string[]> {
    await peer.until(handle, (said) => said.some((one) => one.startsWith('REP ')));
    peer.send(ack(handle));
    await peer.until(handle, (said) => said.at(-1) === 'close');
    return peer.said(handle);
  }

  const ends: Act<string> = async (peer) => (await peer.ended) && 'ended';

  describe('requests', () => {
    it('a REQ that comes a byte at a time is answered', () =>
      agree((peer) => {
        for (const byte of noop(1)) peer.send(Uint8Array.of(byte));
        return complete(peer, 1);
      }, answered));

    it('a REQ of the largest size is answered', () =>
      agree((peer) => {
        const body = textBytes(request('noop'));
        const payload = Buffer.alloc(4_194_304, 'x');
        payload.set([0, ...body]);
        payload[payload.length - 2] = 0x0a;
        payload[payload.length - 1] = 0;
        peer.send(Buffer.concat([hex('00400000 00000001'), payload]));
        return complete(peer, 1);
      }, answered));

    it('a REQ that comes again while its service runs gets another ACK, and one reply', () =>
      agree(
        async (peer) => {
          peer.send(estimate(1));
          await peer.until(1, (said) => said.length === 1);
          peer.send(estimate(1));
          return (await complete(peer, 1)).map(words);
        },
        ['ACK', 'ACK', 'REP OPTIONS', 'close'],
      ));

    it('a REQ that comes again gets an ACK of its own', () =>
      agree(
        (peer) => {
          peer.send(noop(1), noop(1));
          return complete(peer, 1);
        },
        ['ACK ', ...answered],
      ));

    it('the same request on a second handle gets an ACK and a close there', () =>
      agree(
        async (peer) => {
          peer.send(noop(1), noop(2));
          return [await complete(peer, 1), peer.said(2)];
        },
        [answered, ['ACK ', 'close']],
      ));

    it('two services at once on one connection are both answered', () =>
      agree(
        async (peer) => {
          peer.send(packetBytes(7, 'REQ', request('selfcheck', features + disk)), noop(3));
          const [check, reply] = await Promise.all([complete(peer, 7), complete(peer, 3)]);
          return [check.map(words), reply];
        },
        [['ACK', 'REP MESSAGE', 'close'], answered],
      ));

    it('a handle serves again when its request is over', () =>
      agree(
        async (peer) => {
          peer.send(noop(1));
          await complete(peer, 1);
          peer.send(noop(1));
          await peer.until(1, (said) => said.length === 5);
          peer.send(ack(1));
          await peer.until(1, (said) => said.length === 6);
          return peer.said(1);
        },
        [...answered, ...answered],
      ));

    it('the initiator may close the handle before the reply; the reply comes, and its ACK completes the request', () =>
      agree((peer) => {
        peer.send(noop(1), close(1));
        return complete(peer, 1);
      }, answered));

    it.each([
      ['hex 03', hex('03')] as const,
      ['with a body', packetPayload('ACK', 'thank you')] as const,
    ])('an ACK is one also as %s', (_as, payload) =>
      agree(async (peer) => {
        peer.send(noop(1));
        await peer.until(1, (said) => said.length === 2);
        peer.send(withHeader(1, payload));
        await peer.until(1, (said) => said.length === 3);
        return peer.said(1);
      }, answered),
    );
  });

  describe('packets out of place', () => {
    it('get a NAK each while the service runs, and the request goes on', () =>
      agree(
        async (peer) => {
          peer.send(estimate(1));
          await peer.until(1, (said) => said.length === 1);
          peer.send(
            ...['01', '02', '03', '04', '09'].map((type) => withHeader(1, hex(`${type}00`))),
          );
          const [first, ...more] = await complete(peer, 1);
          return [first, ...more.slice(0, 5), more.slice(5).map(words)];
        },
        [
          'ACK ',
          ...['REP', 'PREP', 'ACK', 'NAK', 'BOGUS'].map(
            (type) => `NAK ERROR unexpected packet type ${type}\n`,
          ),
          ['REP OPTIONS', 'close'],
        ],
      ));

    it('get a NAK while the target waits for the ACK, and a REQ gets the reply once more', () =>
      agree(
        async (peer) => {
          peer.send(noop(1));
          await peer.until(1, (said) => said.length === 2);
          peer.send(withHeader(1, hex('0100')), noop(1));
          await peer.until(1, (said) => said.length === 4);
          peer.send(ack(1));
          await peer.until(1, (said) => said.length === 5);
          return peer.said(1);
        },
        [
          'ACK ',
          `REP ${features}`,
          'NAK ERROR unexpected packet type REP\n',
          `REP ${features}`,
          'close',
        ],
      ));

    it.each(['01', '02', '03', '04', '09', 'ff'])(
      'a first packet of the type %s gets a close, and the connection serves on',
      (type) =>
        agree(
          async (peer) => {
            peer.send(withHeader(5, hex(`${type}00`)), noop(1));
            return [await complete(peer, 1), peer.said(5)];
          },
          [answered, ['close']],
        ),
    );

    it('a close of a handle that was never open is ignored', () =>
      agree(
        async (peer) => {
          peer.send(close(8), noop(1));
          return [await complete(peer, 1), peer.said(8)];
        },
        [answered, []],
      ));

    it.each([
      ['no body', ''],
      ['no SECURITY line', `SERVICE noop\n${features}`],
      ['a SECURITY line alone', 'SECURITY USER backup\n'],
      ['no name of a service', request('')],
      ['nothing after its service', request('noop', '')],
      ['a blank too many', request(' noop')],
      ['more than a name on its SERVICE line', request('noop OPTIONS x')],
      ['a small SERVICE', request('noop').replace('SERVICE', 'service')],
      ['no user', request('noop').replace(' backup', '')],
      ['CR LF', request('noop').replaceAll('\n', '\r\n')],
      ['an unknown service', request('nosuch')],
      ['a path', request('../../../bin/sh')],
      ['a stranger', request('noop').replace('backup', 'mallory')],
      ['a service that was not named', request('amdumpd')],
    ])(
      'a REQ with %s is refused with the same words, and the handle serves on',
      async (_what, body) => {
        const { real, ours } = await both(async (peer) => {
          peer.send(packetBytes(1, 'REQ', body));
          await peer.until(1, (said) => said.length === 2);
          const refusal = peer.said(1);
          peer.send(noop(1));
          await peer.until(1, (said) => said.length === 4);
          return refusal;
        });
        expect(ours).toEqual(real);
        expect(real).toEqual([expect.stringMatching(/^NAK ERROR /), 'close']);
      },
    );
  });

  describe('the number of a handle', () => {
    it.each([10_000, 500_000, 0x7fff_ffff])('%i is one like any other', (handle) =>
      agree((peer) => {
        peer.send(noop(handle));
        return complete(peer, handle);
      }, answered),
    );

    it.each([0, 0x8000_0000, 0xffff_fffe])(
      '%i ends the real amandad; ours answers',
      async (handle) => {
        const said = await Promise.all([
          asked(real, (peer) => {
            peer.send(noop(handle));
            return ends(peer);
          }),
          asked(ours, (peer) => {
            peer.send(noop(handle));
            return complete(peer, handle);
          }),
        ]);
        expect(said).toEqual(['ended', answered]);
      },
    );

    it('4294967295 is ignored by the real amandad; ours answers', async () => {
      const said = await both(async (peer) => {
        peer.send(noop(0xffff_ffff), packetBytes(1, 'REQ', request('noop', `${features}again\n`)));
        await complete(peer, 1);
        // Two services run at once, and either may be first; that the real one stays silent is no
        // event to wait for.
        await Promise.race([
          peer.until(0xffff_ffff, (answer) => answer.length === 2).catch(() => undefined),
          new Promise((resolve) => setTimeout(resolve, 2_000)),
        ]);
        return peer.said(0xffff_ffff);
      });
      expect(said).toEqual({ real: [], ours: answered.slice(0, 2) });
    });
  });

  describe('streams', () => {
    const index = async (peer: RawPeer, beforeAck: readonly Uint8Array[] = []): Promise<void> => {
      peer.send(amindexd);
      await peer.until(1, (said) => said.length === 2);
      expect(peer.said(1)).toEqual(['ACK ', `REP CONNECT MESG ${STREAM}\n\n`]);
      peer.send(...beforeAck, ack(1));
      await peer.until(
        STREAM,
        (said) => said.join('').endsWith('ready.\r\n') || said.includes('close'),
      );
    };

    it('bytes before the ACK are lost by the real amandad; ours keeps them for the service', async () => {
      const said = await both(async (peer) => {
        await index(peer, [withHeader(STREAM, textBytes('FEATURES ff\r\nQUIT\r\n'))]);
        // The real amandad has closed the stream by then, and has it open again.
        if (peer.said(STREAM).at(0) !== 'close')
          await peer.until(STREAM, (saidThere) => saidThere.includes('close'));
        return peer.said(STREAM).map((one) => one.replace(/^220 .* ready\.\r\n/, '220\r\n'));
      });
      expect(said.real[0]).toBe('close');
      expect(said.real.join('')).not.toContain('FEATURES');
      expect(said.ours).toEqual([
        expect.stringMatching(/^220\r\n200 FEATURES [0-9a-f]+\r\n/),
        'close',
      ]);
    });

    it('a stream that the initiator closes ends for the service, and is closed', () =>
      agree(async (peer) => {
        await index(peer);
        peer.send(close(STREAM));
        await peer.until(STREAM, (said) => said.includes('close'));
        return peer.said(STREAM).at(-1);
      }, 'close'));

    it.each<[string, Act<void>]>([
      ['the initiator sends nothing more', (peer) => peer.half()],
      ['a frame is over the limit', (peer) => peer.send(hex('7fffffff 00000001'))],
    ])(
      'when %s the connection ends; the real amandad closes the stream, ours leaves it cut',
      async (_when, act) => {
        const said = await both(async (peer) => {
          await index(peer);
          await act(peer);
          return [await ends(peer), peer.said(STREAM).slice(1)];
        });
        expect(said).toEqual({ real: ['ended', ['close']], ours: ['ended', []] });
      },
    );
  });

  describe('a connection', () => {
    it.each([
      ['of a frame one byte over the limit', hex('00400001 00000001')],
      ['of a frame of negative length', hex('ffffffff 00000001')],
      ['with the greeting of TLS', hex('16030100 c8010000 c40303aa bbccddee')],
    ])('%s ends at once', (_what, bytes) =>
      agree((peer) => {
        peer.send(bytes);
        return ends(peer);
      }, 'ended'),
    );

    it('of text ends at once at ours; the real amandad waits for 100 characters', async () => {
      const said = await Promise.all([
        asked(real, (peer) => {
          peer.send(textBytes('GET / HTTP/1.0\r\n\r\n'), textBytes('x'.repeat(92)));
          return ends(peer);
        }),
        asked(ours, (peer) => {
          peer.send(textBytes('GET / HTTP/1.0\r\n\r\n'));
          return ends(peer);
        }),
      ]);
      expect(said).toEqual(['ended', 'ended']);
    });

    it('whose initiator sends nothing more after its REQ gets no reply, and ends', () =>
      agree(async (peer) => {
        peer.send(noop(1));
        peer.half();
        await ends(peer);
        return peer.said(1).filter((said) => said.startsWith('REP'));
      }, []));
  });

  it('a peer whose name is an alias is refused; the real amandad drops the first letter of the reason', async () => {
    const hosts = join(lab.sandbox.directory, 'hosts');
    writeFileSync(hosts, '127.0.0.9 two.lab one.lab\n127.0.0.1 one.lab\n', { mode: 0o644 });
    const said = await Promise.all(
      [[programs.amandad], [process.execPath, rxAmandad]].map(async (command) => {
        const become =
          'mount --bind "$1" /etc/hosts && shift && exec setpriv --reuid backup --regid backup --init-groups -- "$@"';
        const args = ['-c', become, 'sh', hosts, ...command, '-auth=bsdtcp', 'amdump'];
        const target = await lab.spawnTarget({ command: '/bin/sh', args, user: 'root' });
        return asked(target, async (peer) => {
          peer.send(noop(1));
          await peer.until(1, (saidThere) => saidThere.length >= 1);
          return peer.said(1)[0];
        });
      }),
    );
    const reason = "one.lab doesn't resolve to itself, it resolves to two.lab";
    expect(said).toEqual([`NAK ${reason.slice(1)}`, `NAK ERROR ${reason}\n`]);
  });

  describe('an .amandahosts', () => {
    const verdict = async (peer: RawPeer, user: string): Promise<string> => {
      peer.send(
        withHeader(
          1,
          Buffer.from(`\0SECURITY USER ${user}\nSERVICE noop\n${features}\0`, 'latin1'),
        ),
      );
      await peer.until(1, (said) => said.length >= 2);
      return peer
        .said(1)
        .join('')
        .replaceAll('u'.repeat(5000), 'U')
        .replace('.amandahosts on the client', 'FILE');
    };
    const allowed = `ACK REP ${features}`;
    const refusal =
      'NAK ERROR user backup from localhost is not allowed to execute the service noop: /var/backups/.amandahosts: larger than 1048576 bytes\nclose';

    it.each([
      [
        'of more than 1 MiB allows no user at ours',
        ['\n'.repeat(1_048_576), 'localhost backup'],
        'backup',
        allowed,
        refusal,
      ],
      [
        'with a name in Latin-1 does not allow that name at ours',
        ['localhost m\xfc'],
        'm\xfc',
        allowed,
        /^NAK ERROR user m.* is not allowed/,
      ],
      [
        'is not advised by ours to take 5000 characters',
        ['localhost'],
        'u'.repeat(5000),
        /line "localhost U amdump"/,
        'NAK ERROR a user name of 5000 characters is not allowed\nclose',
      ],
    ] as const)('%s', async (_what, lines, user, atReal, atOurs) => {
      lab.sandbox.allow(lines, 'latin1');
      const said = await both((peer) => verdict(peer, user));
      expect(said.real).toEqual(
        typeof atReal === 'string' ? atReal : expect.stringMatching(atReal),
      );
      expect(said.ours).toEqual(
        typeof atOurs === 'string' ? atOurs : expect.stringMatching(atOurs),
      );
      lab.sandbox.allow(everyone);
    });
  });

  // They wait side by side.
  describe.concurrent('with time', () => {
    it.each<[string, Act<unknown>]>([
      ['nothing', () => undefined],
      ['half a header', (peer) => peer.send(hex('00000070'))],
      ['half a frame', (peer) => peer.send(noop(1).subarray(0, 50))],
      ['a byte a second', trickle],
      ['a REQ that is refused', (peer) => peer.send(packetBytes(1, 'REQ', request('nosuch')))],
      [
        'a request to its end',
        (peer) => {
          peer.send(noop(1));
          return complete(peer, 1);
        },
      ],
    ])('%s, and no more: the connection ends after 30 s', async (_what, act) => {
      const { real, ours } = await both(async (peer) => {
        await act(peer);
        return (await peer.ended).seconds;
      });
      expect(real).toBeGreaterThan(28);
      expect(ours).toBeGreaterThan(28);
      expect(ours).toBeLessThan(35);
    });

    it('a reply whose ACK is lost comes again every 10 s, until a late ACK completes the request', () =>
      agree(
        async (peer) => {
          const began = performance.now();
          peer.send(noop(1));
          await peer.until(1, (said) => said.length === 4);
          const seconds = (performance.now() - began) / 1000;
          peer.send(ack(1));
          await peer.until(1, (said) => said.length === 5);
          return [Math.floor(seconds / 10), peer.said(1)];
        },
        [2, ['ACK ', ...Array.from({ length: 3 }, () => `REP ${features}`), 'close']],
      ));
  });

  it('no program of ours is left, and none has failed', async () => {
    const codes = await Promise.all(ours.served.map(({ ended }) => ended));
    expect(codes.filter((code) => code !== 0)).toEqual([]);
  });
});

/** Sends the front of a frame, a byte a second, for as long as it is taken. */
function trickle(peer: RawPeer): void {
  const bytes = noop(1).subarray(0, 60).values();
  const timer = setInterval(() => {
    const { value } = bytes.next();
    if (value !== undefined) peer.send(Uint8Array.of(value));
  }, 1000);
  void peer.ended.then(() => clearInterval(timer));
}
