import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Subject, firstValueFrom, from, mergeMap, throwError } from 'rxjs';
import type { ServiceReply } from '../../src/exchange/service.js';
import { SHARED_MEMORY } from '../../src/target/process/shared-memory.js';
import { processService } from '../../src/target/process/process-service.js';
import { encodeText, decodeText } from '../../src/wire/text.js';
import {
  ask,
  askAndLeave,
  children,
  contents,
  folder,
  incoming,
  isThere,
  replyText,
  script,
  session,
  text,
} from './scripts.js';

const OPTIONS = 'OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\n';

/** Waits until the expectation holds, while the time of the timers runs fast. */
function fastForward(expectation: () => void): Promise<void> {
  return vi.waitFor(
    () => {
      vi.advanceTimersByTime(500);
      expectation();
    },
    { interval: 10 },
  );
}

describe('the launch contract', () => {
  it('gives the service its name, amandad, the driver and nothing else as arguments', async () => {
    const file = await script('printf "%s\\n" "$0" "$@"');
    expect(
      await replyText(processService(file, { auth: 'bsdtcp' }), { service: 'selfcheck' }),
    ).toBe(`${file}\namandad\nbsdtcp\n`);
  });

  it('gives it more arguments when there are more', async () => {
    const file = await script('printf "%s\\n" "$@"');
    expect(
      await replyText(processService(file, { extraArgs: ['--one', 'two three'] }), {
        service: 'selfcheck',
      }),
    ).toBe('amandad\nmemory\n--one\ntwo three\n');
  });

  it('starts it in / with the umask 077 and SIGPIPE as it is by default', async () => {
    const file = await script('pwd -P; umask; grep SigIgn /proc/self/status | cut -f2');
    expect(await replyText(processService(file), { service: 'selfcheck' })).toBe(
      '/\n0077\n0000000000000000\n',
    );
  });

  it('gives it the environment without a language, and the name of the peer', async () => {
    const env = {
      PATH: process.env['PATH'],
      LANG: 'de_DE',
      LC_ALL: 'de_DE',
      LC_TIME: 'C',
      TZ: 'UTC',
      AMANDA_AUTHENTICATED_PEER: 'forged',
    };
    const file = await script('tr "\\0" "\\n" </proc/$$/environ | grep -v ^PATH= | sort');
    expect(await replyText(processService(file, { env }), { service: 'selfcheck' })).toBe(
      'AMANDA_AUTHENTICATED_PEER=initiator\nTZ=UTC\n',
    );
  });

  it('passes on no variable of this process but those of the user and the place', async () => {
    const file = await script('tr "\\0" "\\n" </proc/$$/environ | cut -d= -f1 | sort');
    const strange = ['NODE_OPTIONS', 'TAR_OPTIONS', 'LD_PRELOAD', 'NOTIFY_SOCKET', 'SECRET'];
    for (const name of [...strange, 'LC_ALL']) vi.stubEnv(name, '');
    for (const name of ['TZ', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'DISPLAY'])
      vi.stubEnv(name, '/x');
    try {
      expect(await replyText(processService(file), { service: 'selfcheck' })).toBe(
        'AMANDA_AUTHENTICATED_PEER\nDISPLAY\nHOME\nLOGNAME\nPATH\nSHELL\nTZ\nUSER\n',
      );
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('does not claim a peer that no driver has vouched for', async () => {
    const file = await script('tr "\\0" "\\n" </proc/$$/environ | grep AMANDA');
    const service = processService(file, {
      env: { PATH: process.env['PATH'], AMANDA_AUTHENTICATED_PEER: 'forged' },
    });
    const { body } = await firstValueFrom(from(service(incoming('noop', '', { driver: 'local' }))));
    expect(decodeText(body)).toBe(
      `ERROR service ${file} failed: pid 0 exited with code 1\n`.replace(
        'pid 0',
        /pid \d+/.exec(decodeText(body))?.[0] ?? '',
      ),
    );
  });

  it.each([
    [150, 4],
    [150, 5],
    [50, 3],
  ])(
    'opens the standard descriptors, those of the streams from %i on (%i streams), and no others',
    async (streamOffset, streamCount) => {
      const file = await script('ls /proc/$$/fd');
      const said = await replyText(processService(file, { streamOffset, streamCount }), {
        service: 'selfcheck',
      });
      const streams = Array.from(
        { length: 2 * streamCount },
        (_, index) => `${streamOffset + index}`,
      );
      // bash reads its script from 255.
      expect(
        said
          .split('\n')
          .filter((fd) => fd !== '' && fd !== '255')
          .sort(),
      ).toEqual(['0', '1', '2', ...streams].sort());
    },
  );

  it('gives it the arguments of the request on standard input, and their end', async () => {
    const file = await script('cat; echo over');
    expect(await replyText(processService(file), { service: 'selfcheck', body: 'line\n' })).toBe(
      `${OPTIONS}line\nover\n`,
    );
  });

  it('survives a service that reads none of its arguments', async () => {
    const file = await script('exec 0<&-; echo OK');
    expect(
      await replyText(processService(file), { service: 'selfcheck', body: 'x'.repeat(1_000_000) }),
    ).toBe('OK\n');
  });

  it('refuses to be given a path that is not absolute, or numbers that cannot be', () => {
    expect(() => processService('selfcheck')).toThrow(/absolute path/);
    expect(() => processService('/selfcheck', { streamOffset: 2 })).toThrow(/streamOffset/);
    expect(() => processService('/selfcheck', { streamCount: 17 })).toThrow(/streamCount/);
  });
});

describe('the reply of a service', () => {
  it('is everything that it writes until it closes its standard output', async () => {
    const file = await script(
      'printf one; printf "two\\n"; head -c 1000000 /dev/zero | tr "\\0" x',
    );
    expect(await replyText(processService(file), { service: 'selfcheck' })).toBe(
      `onetwo\n${'x'.repeat(1_000_000)}`,
    );
  });

  it('has an ERROR line for each line of standard error, and for an exit code', async () => {
    const file = await script('echo OK; echo "first" >&2; printf second >&2; echo $$; exit 3');
    const said = await replyText(processService(file), { service: 'selfcheck' });
    const pid = /^OK\n(\d+)\n/.exec(said)?.[1] ?? '';
    expect(said).toBe(
      `OK\n${pid}\nERROR service selfcheck: first\nERROR service selfcheck: second\nERROR service ${file} failed: pid ${pid} exited with code 3\n`,
    );
  });

  it('has an ERROR line for a signal', async () => {
    const file = await script('echo $$; kill -KILL $$');
    const said = await replyText(processService(file), { service: 'selfcheck' });
    expect(said).toMatch(/^(\d+)\nERROR service .* failed: pid \1 exited with signal 9\n$/);
  });

  it('is an error when it is over 4 MiB, and the service is ended', async () => {
    const file = await script(`echo $$ > ${join(await folder(), 'pid')}`, 'exec yes');
    const said = await replyText(processService(file, { beforeTerm: 0 }), { service: 'selfcheck' });
    expect(said).toBe(
      'ERROR service selfcheck: its reply is over the 4194302 bytes that fit one packet\n',
    );
  });

  it('keeps 64 KiB of what is said on standard error', async () => {
    const file = await script('echo OK; head -c 70000 /dev/zero | tr "\\0" x >&2');
    const said = await replyText(processService(file), { service: 'selfcheck' });
    expect(said).toBe(
      `OK\nERROR service selfcheck: ${'x'.repeat(65_536)}\nERROR service selfcheck: (4464 bytes more)\n`,
    );
  });

  it('does not wait for what a service has left behind with its descriptors', async () => {
    const pidFile = join(await folder(), 'pid');
    const file = await script(`sleep 1000 & echo $! > ${pidFile}`, 'echo OK');
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const said = replyText(processService(file), { service: 'selfcheck' });
      let done = false;
      void said.then(() => (done = true));
      await fastForward(() => {
        expect(done).toBe(true);
      });
      expect(await said).toBe('OK\n');
    } finally {
      vi.useRealTimers();
      process.kill(Number(await readFile(pidFile, 'utf8')));
    }
  });

  it('is refused before it is acknowledged when there is no such executable', async () => {
    const missing = join(await folder(), 'selfcheck');
    await expect(replyText(processService(missing), { service: 'selfcheck' })).rejects.toThrow(
      `execute access to '${missing}' denied`,
    );
  });

  it('is refused when the executable is a folder', async () => {
    const place = await folder();
    await expect(replyText(processService(place), { service: 'selfcheck' })).rejects.toThrow(
      `execute access to '${place}' denied`,
    );
  });
});

describe('partial replies', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A sendsize that writes what it is told, piece by piece. */
  async function sendsize(features: string) {
    const fifo = join(await folder(), 'fifo');
    const file = await script(
      `mkfifo ${fifo}`,
      'printf "OPTIONS features=ff;\\ndisk 0 SI"',
      `cat ${fifo} > /dev/null`,
      'printf "ZE 10\\n"',
    );
    const replies: ServiceReply[] = [];
    const done = new Subject<void>();
    const running = from(
      processService(file)(incoming('sendsize', `OPTIONS features=${features};\n`)),
    ).subscribe((reply) => {
      replies.push(reply);
      if (reply.kind === 'final') done.next();
    });
    return { fifo, replies, running };
  }

  it('of sendsize have the whole lines so far, and the final one has all', async () => {
    const { fifo, replies, running } = await sendsize('00000000000010');
    await fastForward(() => {
      expect(replies).toHaveLength(1);
    });
    expect(replies[0]).toEqual({ kind: 'partial', body: Buffer.from('OPTIONS features=ff;\n') });
    await writeFile(fifo, '');
    await fastForward(() => {
      expect(replies.at(-1)?.kind).toBe('final');
    });
    expect(decodeText(replies.at(-1)?.body ?? new Uint8Array())).toBe(
      'OPTIONS features=ff;\ndisk 0 SIZE 10\n',
    );
    running.unsubscribe();
  });

  it('do not go to a requester without the feature', async () => {
    const { fifo, replies, running } = await sendsize('ffffffffffff0f');
    await writeFile(fifo, '');
    await fastForward(() => {
      expect(replies).toHaveLength(1);
    });
    expect(replies[0]?.kind).toBe('final');
    running.unsubscribe();
  });
});

describe('the streams of a service', () => {
  it('are the ones that the first line names, in its order', async () => {
    const file = await script(
      'echo "CONNECT B 151 A 150 NONE -1 FAR 154 AGAIN 150"; echo rest; exec 1>&-',
      'echo a >&150; echo b >&152',
    );
    const asked = ask(
      processService(file),
      { service: 'restore' },
      async ({ text: whole, streams, lines }) => [
        whole.split('\n')[0]?.replace(/ \d+/g, ' n'),
        lines,
        await text(streams['A']),
        await text(streams['B']),
      ],
    );
    expect(await asked).toEqual([
      'CONNECT B n A n NONE -1 FAR -1 AGAIN -1',
      ['rest'],
      'a\n',
      'b\n',
    ]);
  });

  it('are none when a line comes before CONNECT', async () => {
    const file = await script('echo "ERROR [no]"; echo "CONNECT MESG 150"');
    const { text: said } = await askAndLeave(processService(file), { service: 'amindexd' });
    expect(said).toBe('ERROR [no]\nCONNECT MESG 150\n');
  });

  it('carry what was written before the ACK of the reply, even if the service has ended by then', async () => {
    const file = await script(
      'echo early >&150; head -c 100000 /dev/zero >&152; echo "CONNECT A 150 B 151"; echo',
    );
    const asked = ask(processService(file), { service: 'restore' }, async ({ streams }) => [
      await text(streams['A']),
      (await contents(streams['B'])).length,
    ]);
    expect(await asked).toEqual(['early\n', 100_000]);
  });

  it('carry much on all of them at once', async () => {
    const file = await script(
      'echo "CONNECT A 150 B 151 C 152 D 153"; echo; exec 1>&-',
      'for fd in 150 152 154 156; do head -c 5000000 /dev/zero >&$fd & done; wait',
    );
    const asked = ask(processService(file), { service: 'restore' }, ({ streams }) =>
      Promise.all(Object.values(streams).map(contents)),
    );
    expect((await asked).map(({ length }) => length)).toEqual([
      5_000_000, 5_000_000, 5_000_000, 5_000_000,
    ]);
  });

  it('wait when the requester does not read', async () => {
    const file = await script(
      'echo "CONNECT A 150"; echo; exec 1>&-',
      'head -c 50000000 /dev/zero >&150',
    );
    const asked = ask(processService(file), { service: 'restore' }, async ({ streams: { A } }) => {
      let length = 0;
      for await (const chunk of A ?? []) {
        length += chunk.length;
        // A turn of the event loop each, in which a sender without manners would go on.
        await new Promise(setImmediate);
        expect(A?.held).toBeLessThan(2_000_000);
      }
      return length;
    });
    expect(await asked).toBe(50_000_000);
  });

  it('bring the service what the requester sends, and its end', async () => {
    const file = await script('echo "CONNECT A 150"; echo; exec 1>&-', 'sort <&151 >&150');
    const asked = ask(processService(file), { service: 'restore' }, async ({ streams: { A } }) => {
      A?.next(encodeText('two\none\n'));
      A?.complete();
      return text(A);
    });
    expect(await asked).toBe('one\ntwo\n');
  });

  it('bring it much more than fits its pipe', async () => {
    const file = await script('echo "CONNECT A 150"; echo; exec 1>&-', 'wc -c <&151 >&150');
    const asked = ask(processService(file), { service: 'restore' }, async ({ streams: { A } }) => {
      for (let sent = 0; sent < 100; sent++) A?.next(new Uint8Array(100_000));
      A?.complete();
      return (await text(A)).trim();
    });
    expect(await asked).toBe('10000000');
  });

  it('close one direction at a time, as restore does with its data', async () => {
    const file = await script(
      'exec 152>&-; echo "CONNECT CTL 150 DATA 151"; echo; exec 1>&-',
      'wc -c <&153 >&150',
    );
    const asked = ask(
      processService(file),
      { service: 'restore' },
      async ({ streams: { CTL, DATA } }) => {
        const nothing = await text(DATA);
        DATA?.next(encodeText('data'));
        DATA?.complete();
        return [nothing, (await text(CTL)).trim()];
      },
    );
    expect(await asked).toEqual(['', '4']);
  });

  it('drop what a service has stopped reading', async () => {
    const file = await script(
      'exec 151<&-; echo "CONNECT A 150"; echo; exec 1>&-',
      'read -r line <&153; echo "$line" >&150',
    );
    const asked = ask(processService(file), { service: 'restore' }, async ({ streams: { A } }) => {
      for (let sent = 0; sent < 100; sent++) A?.next(new Uint8Array(100_000));
      A?.complete();
      A?.discard();
      return 'sent';
    });
    expect(await asked).toBe('sent');
  });

  it('of sendbackup keep the data back until the description is complete', async () => {
    const fifo = join(await folder(), 'fifo');
    const file = await script(
      `mkfifo ${fifo}`,
      'echo "CONNECT DATA 150 MESG 151"; echo; echo data >&150; exec 150>&-; printf "sendbackup: info e" >&152; exec 1>&-',
      `cat ${fifo} > /dev/null; printf "nd\\n" >&152; exec 152>&-; read -r -t 10 line <&153`,
    );
    const order: string[] = [];
    await ask(
      processService(file),
      { service: 'sendbackup' },
      async ({ streams: { DATA, MESG } }) => {
        const data = text(DATA).then((got) => order.push(got));
        MESG?.subscribe((chunk) => {
          const got = decodeText(chunk);
          order.push(got);
          if (got === 'sendbackup: info e') void writeFile(fifo, '');
          else MESG.complete();
        });
        await data;
      },
    );
    expect(order).toEqual(['sendbackup: info e', 'nd\n', 'data\n']);
  });

  it('of sendbackup let the data go when the messages end without a description', async () => {
    const file = await script(
      'echo "CONNECT DATA 150 MESG 151"; echo; echo data >&150; exec 152>&-',
    );
    const asked = ask(
      processService(file),
      { service: 'sendbackup' },
      async ({ streams: { DATA, MESG } }) => [await text(DATA), await text(MESG)],
    );
    expect(await asked).toEqual(['data\n', '']);
  });
});

describe('data in shared memory', () => {
  const options = 'OPTIONS features=ff;data-shm-control-name=/amanda_shm_control-12-0;\n';

  it('is passed on to sendbackup for a requester on this host', async () => {
    const file = await script('printf "%s\\n" "$@"');
    const reply = await firstValueFrom(
      from(processService(file)(incoming('sendbackup', options, { driver: 'local' }))),
    );
    expect(decodeText(reply.body)).toBe('amandad\nlocal\n--shm-name\n/amanda_shm_control-12-0\n');
  });

  it.each([
    ['for a requester elsewhere', options, 'bsdtcp'],
    ['with a name that could be any file', options.replace('12-0', '../../etc/passwd'), 'local'],
  ])('is refused %s', async (_, args, driver) => {
    const service = processService(await script('echo OK'));
    await expect(
      firstValueFrom(from(service(incoming('sendbackup', args, { driver })))),
    ).rejects.toThrow(/data-shm-control-name/);
  });

  it('is not asked of sendbackup when the feature is hidden', async () => {
    const file = await script('printf "%s\\n" "$@"');
    const service = processService(file, { hideFeatures: [SHARED_MEMORY] });
    const reply = await firstValueFrom(
      from(service(incoming('sendbackup', options, { driver: 'local' }))),
    );
    expect(decodeText(reply.body)).toBe('amandad\nlocal\n');
  });
});

describe('features that another service of the target lacks', () => {
  const all = 'ffffffff9efefbfffffffffffffff3fffbf71f';
  const fewer = all.replace('f71f', 'f717');
  const said = async (...lines: readonly string[]): Promise<string> => {
    const file = await script(`cat <<'END'\n${lines.join('\n')}\nEND`);
    return replyText(processService(file, { hideFeatures: [SHARED_MEMORY] }), { service: 'noop' });
  };

  it.each([
    ['in the first line', `OPTIONS features=${all};hostname=here;`],
    ['after another line', `ERROR first\nOPTIONS maxdumps=1;features=${all.toUpperCase()};`],
    ['in the JSON of selfcheck', `  {\n    "features" : "${all}",`],
    ['in a message of selfcheck', `    "message" : "OPTIONS features=${all};hostname=here;"`],
  ])('are not announced %s', async (_, line) => {
    expect(await said(line)).toBe(`${line.replace(new RegExp(all, 'i'), fewer)}\n`);
  });

  it.each([
    ['a disk of that name', `OPTIONS;features=${all} 0 SIZE 12`],
    ['a file of that name', `ERROR OPTIONS features=${all};`],
    ['an unknown set', 'OPTIONS features=UNKNOWNFEATURE;'],
    ['bytes that are not UTF-8', 'OPTIONS hostname=\u00e9;'],
  ])('leave %s alone', async (_, line) => {
    expect(await said(line)).toBe(`${line}\n`);
  });
});

describe('the end of a service', () => {
  const patience = { beforeTerm: 20, beforeKill: 20 };

  it('comes by SIGTERM when it does not end by itself', async () => {
    const file = await script(
      'echo "CONNECT A 150"; echo $$; exec 1>&- 150>&- 2>&-; exec sleep 1000',
    );
    const { lines } = await askAndLeave(processService(file, patience), { service: 'restore' });
    const pid = Number(lines[0]);
    await vi.waitFor(() => {
      expect(isThere(pid)).toBe(false);
    });
  });

  it('comes by SIGKILL when it ignores that', async () => {
    const file = await script(
      'trap "" TERM; echo "CONNECT A 150"; echo $$; exec 1>&- 150>&- 2>&-; while :; do sleep 0.01; done',
    );
    const { lines } = await askAndLeave(processService(file, patience), { service: 'restore' });
    const pid = Number(lines[0]);
    await vi.waitFor(() => {
      expect(isThere(pid)).toBe(false);
    });
  });

  it('comes when the requester leaves while it still works on its reply', async () => {
    const pidFile = join(await folder(), 'pid');
    const file = await script(`echo $$ > ${pidFile}`, 'exec sleep 1000');
    const running = from(processService(file, patience)(incoming('selfcheck'))).subscribe();
    const pid = await vi.waitFor(async () => {
      const said = Number(await readFile(pidFile, 'utf8'));
      expect(said).toBeGreaterThan(0);
      return said;
    });
    running.unsubscribe();
    await vi.waitFor(() => {
      expect(isThere(pid)).toBe(false);
    });
  });

  it('comes when the requester leaves before it is known to run', async () => {
    const pidFile = join(await folder(), 'pid');
    const file = await script(`echo $$ > ${pidFile}`, 'exec sleep 1000');
    from(processService(file, { beforeTerm: 200, beforeKill: 20 })(incoming('selfcheck')))
      .subscribe()
      .unsubscribe();
    const pid = await vi.waitFor(async () => {
      const said = Number(await readFile(pidFile, 'utf8'));
      expect(said).toBeGreaterThan(0);
      return said;
    });
    await vi.waitFor(() => {
      expect(isThere(pid)).toBe(false);
    });
  });

  it('comes when the requester leaves in the middle of a stream', async () => {
    const file = await script('echo "CONNECT A 150"; echo; exec 1>&-', 'exec cat /dev/zero >&150');
    const before = await children();
    const service = processService(file);
    const first = await session(service, { service: 'restore' }, (replies) =>
      firstValueFrom(
        replies.pipe(
          mergeMap(({ streams: { A } }) => A ?? throwError(() => new Error('there is no stream'))),
        ),
      ),
    );
    expect(first.length).toBeGreaterThan(0);
    await vi.waitFor(async () => {
      expect(await children()).toEqual(before);
    });
  });

  it('leaves no descriptor open', async () => {
    const file = await script('echo "CONNECT A 150"; echo; exec 1>&-; echo a >&150');
    const once = () =>
      ask(processService(file), { service: 'restore' }, ({ streams }) => text(streams['A']));
    await once();
    const before = (await readdir('/proc/self/fd')).length;
    for (let run = 0; run < 5; run++) await once();
    await vi.waitFor(async () => {
      expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before);
    });
  });
});
