import { Readable } from 'node:stream';
import { Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { packageVersion } from '../../src/cli/version.js';
import { fakeEnvironment } from './fake-environment.js';

describe('rx-amanda', () => {
  it.each([
    [[], 'A command is missing; rx-amanda --help lists them.'],
    [['nop'], 'There is no command "nop"; rx-amanda --help lists them. Did you mean "noop"?'],
    [['backup'], 'There is no command "backup"; rx-amanda --help lists them.'],
    [['noop'], 'HOST is missing.'],
    [['noop', ''], 'HOST is empty.'],
    [['demo', 'one', 'two'], '"two" is one word too many.'],
    [['noop', 'one', '--bogus'], "Unknown option '--bogus'."],
    [['noop', 'one', '--timeuot', '3'], 'Unknown option \'--timeuot\'. Did you mean "--timeout"?'],
    [['noop', 'one:0'], 'The port of HOST must be a whole number from 1 to 65535, not "0".'],
    [['noop', 'one:7', '--port', '8'], '"one:7" and --port both name a port; leave one out.'],
    [['noop', 'one:7:'], 'HOST is HOST:PORT, or [ADDRESS]:PORT for IPv6, not "one:7:".'],
    [
      ['noop', 'one', 'two', '--parallel', '0'],
      '--parallel takes a whole number from 1 to 10000, not "0".',
    ],
    [
      ['service', 'one', 'two', 'noop', '-s', '-f', 'x'],
      '-s and --stream join the streams of one HOST only.',
    ],
    [
      ['dump', 'one', 'two', '/etc', '-o', 'x.dump'],
      'x.dump would be the file of every HOST; give each a file with %h in the name.',
    ],
    [['noop', 'one', '--port', '0'], '--port takes a whole number from 1 to 65535, not "0".'],
    [
      ['noop', 'one', '--timeout', '1.5'],
      '--timeout takes a whole number from 1 to 86400, not "1.5".',
    ],
    [
      ['noop', 'one', '--auth', 'krb5'],
      'The auth krb5 is not built; this version has bsdtcp, ssl, local, ssh, rsh, bsdudp and bsd.',
    ],
    [
      ['noop', 'one', '--auth', 'x\u001b[2J'],
      'There is no auth "x\\x1b[2J"; this version has bsdtcp, ssl, local, ssh, rsh, bsdudp and bsd.',
    ],
    [['service', 'one'], 'SERVICE is missing.'],
    [
      ['service', 'one', 'noop', '-s'],
      '-s needs -f FILE, since standard input goes to the stream.',
    ],
    [
      ['service', 'one', 'noop', '--stream', 'DATA,1'],
      '--stream takes NAME,IN,OUT with the numbers of two open descriptors, not "DATA,1".',
    ],
    [
      ['service', 'one', 'noop', '--stream', 'DATA,-,999999'],
      'The descriptor 999999 is not open; a shell opens one with 999999<FILE or 999999>FILE.',
    ],
    [
      ['service', 'one', 'noop', '--features', 'zz'],
      '--features: A feature set must be hexadecimal digits, not "zz".',
    ],
    [['dump', 'one', '/etc'], '-o FILE is missing; -o - is standard output.'],
    [
      ['dump', 'one', '/etc', '-o', 'x', '--level', '400'],
      '--level takes a whole number from 0 to 399, not "400".',
    ],
    [['dump', 'one', '/etc', '-o', '-', '--json'], '-o - and --json both want standard output.'],
  ])('ends with exit code 2 and one sentence for the words %j', async (words, sentence) => {
    const fake = fakeEnvironment();
    expect(await main(words, fake.environment)).toBe(2);
    if (words.includes('--json'))
      expect(JSON.parse(fake.out())).toEqual({ error: { code: 'USAGE', message: sentence } });
    else expect([fake.out(), fake.err()]).toEqual(['', `rx-amanda: ${sentence}\n`]);
  });

  it('says its version, and how it and each of its commands are used', async () => {
    const version = fakeEnvironment();
    expect(await main(['--version'], version.environment)).toBe(0);
    expect(version.out()).toBe(`rx-amanda ${packageVersion()}\n`);
    for (const words of [
      ['--help'],
      ['noop', '--help'],
      ['service', '-h'],
      ['dump', '--help', 'x'],
      ['demo', '--help'],
    ]) {
      const help = fakeEnvironment();
      expect(await main(words, help.environment)).toBe(0);
      expect(help.out()).toMatch(/^Usage: rx-amanda [^]*Exit code:\n {2}0 {4}success\n/);
      expect(
        help
          .out()
          .split('\n')
          .filter((line) => line.length > 80),
      ).toEqual([]);
    }
  });

  it('ends with the code of the signal that interrupts it, and cancels what runs', async () => {
    const events: string[] = [];
    const fake = fakeEnvironment({
      services: {
        noop: () =>
          new Observable(() => {
            events.push('asked');
            fake.interrupt.next(130);
            return () => events.push('cancelled');
          }),
      },
    });
    expect(await main(['noop', 'one'], fake.environment)).toBe(130);
    await vi.waitFor(() => {
      expect(events).toEqual(['asked', 'cancelled']);
    });
    expect(fake.err()).toBe('rx-amanda: interrupted; everything was cancelled.\n');
  });

  it('can be interrupted before it has begun', async () => {
    const fake = fakeEnvironment();
    const code = main(['noop', 'one'], fake.environment);
    fake.interrupt.next(130);
    expect(await code).toBe(130);
    expect(fake.chosen).toEqual([]);
  });

  it('says that it was interrupted in the JSON document too, and reads standard input no longer', async () => {
    const fake = fakeEnvironment();
    let isRead = (): void => undefined;
    const reading = new Promise<void>((resolve) => (isRead = resolve));
    const stdin = new Readable({ read: () => isRead() });
    const code = main(['service', 'one', 'noop', '--json'], { ...fake.environment, stdin });
    await reading;
    fake.interrupt.next(143);
    expect(await code).toBe(143);
    expect(JSON.parse(fake.out())).toEqual({
      error: { code: 'INTERRUPTED', message: 'interrupted; everything was cancelled.' },
    });
    expect(stdin.destroyed).toBe(true);
  });
});
