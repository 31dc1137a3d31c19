import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  readInstallation,
  type Installation,
  type InstallationOptions,
} from '../../src/cli/config/installation.js';
import { resolvePort } from '../../src/cli/config/port-name.js';
import type { Key } from '../../src/cli/config/settings.js';
import { AmandaError } from '../../src/wire/errors.js';

let directory: string;
let told: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rx-amanda-config-'));
  told = [];
});
afterEach(() => rm(directory, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
}

function read(options: Partial<InstallationOptions> = {}): Installation {
  const report = (line: string): void => void told.push(line.replaceAll(directory, 'D'));
  return readInstallation({ directory, host: 'one', report, warn: report, ...options });
}

/** The values without their positions. */
const values = (options?: Partial<InstallationOptions>): Partial<Record<Key, unknown>> =>
  Object.fromEntries(
    Object.entries(read(options).settings).map(([key, { value }]) => [key, value]),
  );

function failure(options?: Partial<InstallationOptions>): unknown {
  try {
    return read(options);
  } catch (error) {
    if (error instanceof AmandaError)
      return { code: error.code, message: error.message.replaceAll(directory, 'D') };
    return error instanceof Error
      ? { code: error.name, message: error.message.replaceAll(directory, 'D') }
      : error;
  }
}

describe('an amanda-client.conf', () => {
  it('is read as Amanda reads it', async () => {
    await write({
      'amanda-client.conf': [
        'AUTH "ssh"       # a comment',
        'client_port 22',
        'Ssh-Keys "/a \\"b\\"\\t\\101\\303\\251"',
        'ssl-check-host',
        'SSL_CHECK_FINGERPRINT Off',
        'reserved-tcp-port 600 , 700',
        'unreserved-tcp-port 2000',
        'ctimeout 2 weeks',
        'ssl-dir "two \\',
        'lines"',
        'auth "ssl"',
      ].join('\n'),
    });
    expect(values()).toEqual({
      auth: 'ssl',
      'client-port': '22',
      'ssh-keys': '/a "b"\tA\u00e9',
      'ssl-check-host': true,
      'ssl-check-fingerprint': false,
      'reserved-tcp-port': { first: 600, last: 700 },
      'unreserved-tcp-port': { first: 2000, last: 2000 },
      ctimeout: 14,
      'ssl-dir': 'two \nlines',
    });
  });

  it('may be missing', () => {
    expect(values()).toEqual({});
  });

  it('is overlaid by the one of the configuration', async () => {
    await write({
      'amanda-client.conf': 'auth "ssh"\nreq-tries 7\n',
      'lab/amanda-client.conf': 'auth "ssl"',
    });
    expect(values()).toEqual({ auth: 'ssh', 'req-tries': 7 });
    expect(values({ config: 'lab' })).toEqual({ auth: 'ssl', 'req-tries': 7 });
  });

  it('has keys that are of no use here, which are reported and ignored, blocks and all', async () => {
    await write({
      'amanda-client.conf':
        'conf "x"\ndefine application a {\n  property "x" "}"\n  more {\n auth "ssh"\n }\n}\nfuture-key [1|2]\n',
    });
    expect(values()).toEqual({});
    expect(told).toEqual([
      'reading D/amanda-client.conf',
      'D/amanda-client.conf line 1: conf is of no use here, ignored.',
      'D/amanda-client.conf line 2: define is of no use here, ignored.',
      'D/amanda-client.conf line 8: Amanda 3.5.1 knows no keyword future-key, ignored.',
    ]);
  });

  it.each([
    ['auth ssh', 'line 1: auth takes one string in double quotes.'],
    ['\n\nauth "ssh', 'line 3: a string has no closing quote.'],
    ['\nssl-dir "a\\\nb" 5', 'line 2: ssl-dir takes one string in double quotes.'],
    ['ssl-dir "a\\\nb"\nreq-tries 0', 'line 3: req-tries is at least 1, not 0.'],
    [
      'req-tries 1.5',
      'line 1: req-tries takes a whole number, perhaps with one unit such as k or weeks.',
    ],
    ['ctimeout 3 gigabytes', 'line 1: ctimeout is over 2147483647.'],
    [
      'ssl-check-host "no"',
      'line 1: ssl-check-host takes yes or no (also true, false, on, off, 1, 0), without quotes.',
    ],
    [
      'reserved-udp-port 900,1024',
      'line 1: reserved-udp-port must lie within 1 to 1023 and end at or after its start, not be 900,1024.',
    ],
    ['5', 'line 1: a line begins with a keyword or a name.'],
    ['define application a {\n', 'line 1: the { of this block has no }.'],
    ['includefile "none"', 'line 1: there is no file D/none.'],
    ['includefile "amanda-client.conf"', 'line 1: D/amanda-client.conf includes itself.'],
    ['a {\n'.repeat(17), 'line 17: more than 16 blocks lie in each other.'],
  ])('that says %j is refused by file and line', async (text, message) => {
    await write({ 'amanda-client.conf': text });
    expect(failure()).toEqual({
      code: 'CONFIG_INVALID',
      message: `D/amanda-client.conf ${message}`,
    });
  });

  it('may include files of its folder, and says in which one the mistake is', async () => {
    await write({
      'amanda-client.conf': 'IncludeFile "more"\nreq-tries 4\n',
      more: 'req-tries 3\nrep-tries 2\nincludefile "last"',
      last: 'auth "rsh"',
    });
    expect(values()).toEqual({ 'req-tries': 4, 'rep-tries': 2, auth: 'rsh' });
    await write({ last: '\nauth rsh' });
    expect(failure()).toMatchObject({
      message: expect.stringMatching(/^D\/last line 2: /) as string,
    });
    await write({ last: 'includefile "more"' });
    expect(failure()).toMatchObject({ message: 'D/last line 1: D/more includes itself.' });
  });

  it('is bounded in size, and in how many files it includes', async () => {
    await write({ 'amanda-client.conf': `#${' '.repeat(1024 * 1024)}` });
    expect(failure({ config: undefined })).toMatchObject({ settings: {} });
    expect(told).toEqual([
      expect.stringMatching(/it has over 1048576 bytes; going on without it\.$/),
    ]);
    await write({ 'amanda-client.conf': 'includefile "empty"\n'.repeat(201), empty: '' });
    told = [];
    read();
    expect(told.at(-1)).toMatch(/this configuration has over 200 files; going on without it\.$/);
    const chain = Array.from({ length: 18 }, (_, at) => [
      at === 0 ? 'amanda-client.conf' : `file${at}`,
      at === 17 ? '' : `includefile "file${at + 1}"\n`,
    ]);
    await write(Object.fromEntries(chain) as Record<string, string>);
    expect(failure()).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/files include each other more than 16 deep\.$/) as string,
    });
  });

  it('that is no file is reported, and refused when the configuration was named', async () => {
    await symlink('/dev/zero', join(directory, 'amanda-client.conf'));
    expect(values()).toEqual({});
    expect(told).toEqual([expect.stringMatching(/it is no regular file; going on without it\.$/)]);
    await write({ 'lab/amanda-client.conf': '' });
    expect(failure({ config: 'lab' })).toMatchObject({ code: 'FILE_FAILED' });
  });
});

describe('an amanda.conf', () => {
  const server = [
    'req-tries 5',
    'org "us"',
    'define interface LE0 {',
    '}',
    'define dumptype Base {',
    '  auth "bsdtcp"',
    '  client-port "10080"',
    '}',
    'define dumptype "via-ssl" {',
    '  index',
    '  client-port 10090',
    '  BASE',
    '  auth "ssl"',
    '}',
  ].join('\n');
  const disklist = [
    '# HOST DISK [DEVICE] DUMPTYPE',
    'one /home base',
    'one "/a b" "/dev/c d" Via-SSL 1 le0  # spindle and interface',
    'two /x {',
    '  base',
    '  client-username "me"',
    '} 2',
    'three y {',
    '}',
    'includefile "more"',
  ].join('\n');
  const files = {
    'amanda-client.conf': 'auth "rsh"',
    'lab/amanda.conf': server,
    'lab/disklist': disklist,
    'lab/more': 'four /f base',
  };

  it('says by its disklist and dumptypes how a host is reached; what amanda-client.conf says is for another direction', async () => {
    await write(files);
    expect(values({ config: 'lab', host: 'two' })).toEqual({
      'req-tries': 5,
      auth: 'bsdtcp',
      'client-port': '10080',
      'client-username': 'me',
    });
    expect(values({ config: 'lab', host: 'three' })).toEqual({ 'req-tries': 5 });
    expect(values({ config: 'lab', host: 'four' })).toMatchObject({ auth: 'bsdtcp' });
    expect(told).toContain(
      'D/lab/disklist line 4: two /x with a dumptype of its own says how it is reached',
    );
    expect(told).toContain('D/lab/more line 1: four /f with dumptype base says how it is reached');
    expect(told).toContain('D/lab/amanda.conf line 2: org is of no use here, ignored.');
  });

  it('goes by the entry of the disk, or by the last one of the host as Amanda does', async () => {
    await write(files);
    expect(read({ config: 'lab', host: 'One', disk: '/home' })).toMatchObject({
      settings: { auth: { value: 'bsdtcp' } },
      entry: { at: { line: 2 } },
    });
    expect(read({ config: 'lab', host: 'two' }).entry).toMatchObject({ spindle: 2 });
    expect(read({ config: 'lab', host: 'one' })).toMatchObject({
      settings: { auth: { value: 'ssl' }, 'client-port': { value: '10080' } },
      entry: { disk: '/a b', device: '/dev/c d', dumptype: 'Via-SSL', spindle: 1 },
    });
  });

  it('leaves a host that is not in the disklist to amanda-client.conf, and says so', async () => {
    await write(files);
    expect(values({ config: 'lab', host: 'five' })).toEqual({ auth: 'rsh' });
    expect(told).toContain(
      'five is not in D/lab/disklist; amanda-client.conf says how it is reached',
    );
  });

  it('may have a disklist of another name, and settings for all configurations beside it', async () => {
    await write({
      'amanda.conf': 'rep-tries 9\nreq-tries 8',
      'lab/amanda.conf': 'diskfile "disks"\nreq-tries 7\ndefine dumptype d {\n}',
      'lab/disks': 'one / d',
    });
    expect(values({ config: 'lab' })).toEqual({
      'rep-tries': 9,
      'req-tries': 7,
      diskfile: 'disks',
    });
  });

  it('is asked for one dumptype, whatever the disklist says', async () => {
    await write(files);
    expect(values({ config: 'lab', host: 'two', dumptype: 'VIA-ssl' })).toMatchObject({
      auth: 'ssl',
    });
    expect(failure({ config: 'lab', dumptype: 'none' })).toEqual({
      code: 'UsageError',
      message: 'There is no dumptype none in D/lab/amanda.conf.',
    });
    expect(failure({ dumptype: 'base' })).toEqual({
      code: 'UsageError',
      message: '--dumptype needs --config NAME.',
    });
  });

  it.each([
    ['one', 'line 1: the disk is missing.'],
    ['one /x', 'line 1: the dumptype is missing.'],
    ['\none /x none', 'line 2: there is no dumptype none.'],
    ['one /x /dev/x none', 'line 1: there is no dumptype none.'],
    ['one /x { base }', 'line 1: a { is the last word of its line.'],
    ['one /x {\nbase', 'line 1: the { of this block has no }.'],
    ['one /x {\n\nnone\n}', 'line 3: no dumptype none is defined before this line.'],
    ['includefile "disklist"', 'line 1: D/lab/disklist includes itself.'],
    ['one /x no-compres', 'line 1: there is no dumptype no-compres. Did you mean "no-compress"?'],
    ['one /x base x', 'line 1: a spindle is a whole number, not "x".'],
    ['one /x base 1 eth7', 'line 1: there is no interface eth7.'],
    ['one /x base 1 default more', 'line 1: "more" is one word too many.'],
    ['one /x {\nbase\n} 1 eth7', 'line 3: there is no interface eth7.'],
    ['one /x base\nOne /y base', 'line 2: the host One differs from one in case only.'],
    [
      'one /x base\none _x base',
      'line 2: _x and /x become the same name of a file, so Amanda takes only one of them.',
    ],
    [
      'a:b /x base\na_b /x base',
      'line 2: a_b and a:b become the same name of a file, so Amanda takes only one of them.',
    ],
    [
      'one /x base\none /y base\none "/x" base',
      'line 3: the disk /x of one is there already, in D/lab/disklist line 1.',
    ],
  ])('has a disklist that is refused by line when it says %j', async (text, message) => {
    await write({ ...files, 'lab/disklist': text });
    expect(failure({ config: 'lab' })).toEqual({
      code: 'CONFIG_INVALID',
      message: `D/lab/disklist ${message}`,
    });
  });

  it('has dumptypes that Amanda defines, which an entry, a dumptype and an option may use', async () => {
    await write({
      'lab/amanda.conf': 'define dumptype mine {\n no-compress\n "BSD-auth"\n record\n}',
      'lab/disklist': 'one /x mine\ntwo /x Srvcompress\nthree /x {\n no-record\n} 1 DEFAULT',
    });
    const overrides = ['dumptype:no-compress:client-port=7'];
    expect(values({ config: 'lab', overrides })).toEqual({
      compress: 'NONE',
      auth: 'BSD',
      'client-port': '7',
      record: true,
    });
    expect(values({ config: 'lab', host: 'two' })).toEqual({ compress: 'SERVER-FAST' });
    expect(values({ config: 'lab', host: 'three' })).toEqual({ record: false });
    await write({ 'lab/amanda.conf': 'define dumptype "No-Compress" {\n}' });
    expect(failure({ config: 'lab' })).toEqual({
      code: 'CONFIG_INVALID',
      message: "D/lab/amanda.conf line 1: the dumptype No-Compress is Amanda's own.",
    });
  });

  it.each([
    ['auth "ssh"', 'line 1: auth has no meaning in amanda.conf outside of a dumptype.'],
    ['define dumptype a {\n ctimeout 5\n}', 'line 2: ctimeout has no meaning in a dumptype.'],
    ['define dumptype a {\n script "s"\n}', 'line 2: there is no script s.'],
    [
      'define application p {\n}\ndefine dumptype a {\n application p\n}',
      'line 4: application takes one name in double quotes, or a block.',
    ],
    [
      'define dumptype a {\n compress none fast\n}',
      'line 2: compress takes none, or client or server with fast, best or custom, without quotes.',
    ],
    ['define dumptype a {\n encrypt\n}', 'line 2: encrypt takes one of none, client, server.'],
    [
      'define dumptype a {\n program "TAR"\n}',
      'line 2: program is "DUMP", "GNUTAR", "STAR" or "APPLICATION".',
    ],
    [
      'define dumptype a {\n estimate best\n}',
      'line 2: estimate takes client, calcsize or server, or several of them.',
    ],
    [
      'define dumptype a {\n exclude "a" list\n}',
      'line 2: exclude takes [list|file] [optional] [append] and names in quotes.',
    ],
    [
      'define script s {\n property append\n}',
      'line 2: property takes a name and values, each in double quotes.',
    ],
    [
      'define script s {\n execute-on pre-dle-amcheck post-dle-amcheck\n}',
      'line 2: execute-on takes words with commas between.',
    ],
    ['define script s {\n execute-on never\n}', 'line 2: Amanda knows no moment never.'],
  ])('that says %j is refused, as by Amanda', async (text, message) => {
    await write({ 'lab/amanda.conf': text });
    expect(failure({ config: 'lab' })).toEqual({
      code: 'CONFIG_INVALID',
      message: `D/lab/amanda.conf ${message}`,
    });
  });

  it('must be there when it is asked for, in a folder of its own', () => {
    expect(failure({ config: 'lab' })).toEqual({
      code: 'UsageError',
      message:
        'There is no configuration lab: D/lab has neither amanda.conf nor amanda-client.conf.',
    });
    for (const config of ['', '..', 'a/b'])
      expect(failure({ config })).toMatchObject({ code: 'UsageError' });
  });
});

describe('a setting of the command line', () => {
  it('holds whatever the files say', async () => {
    await write({ 'amanda-client.conf': 'auth "ssh"\nclient-port 5\nreserved-tcp-port 5' });
    const overrides = [
      'AUTH=ssl',
      'Client_Port=a "b"',
      'ssl-check-host=no',
      'reserved-tcp-port=600,700',
      'ctimeout=1 week',
    ];
    expect(values({ overrides })).toEqual({
      auth: 'ssl',
      'client-port': 'a "b"',
      'ssl-check-host': false,
      'reserved-tcp-port': { first: 600, last: 700 },
      ctimeout: 7,
    });
    expect(values({ directory: undefined, overrides: ['auth=rsh'] })).toEqual({ auth: 'rsh' });
  });

  it('may be that of one dumptype, and of those that take it over', async () => {
    await write({
      'lab/amanda.conf':
        'define dumptype a {\n auth "ssh"\n}\ndefine dumptype b {\n a\n}\ndefine dumptype c {\n}',
    });
    const overrides = ['DUMPTYPE:A:auth=ssl'];
    expect(
      ['a', 'b', 'c'].map((dumptype) => values({ config: 'lab', dumptype, overrides }).auth),
    ).toEqual(['ssl', 'ssl', undefined]);
    expect(failure({ config: 'lab', dumptype: 'a', overrides: ['dumptype:d:auth=ssl'] })).toEqual({
      code: 'UsageError',
      message: '--option dumptype:d:auth=ssl: there is no such dumptype.',
    });
    expect(failure({ overrides })).toMatchObject({ code: 'UsageError' });
  });

  it.each([
    ['auth', 'UsageError'],
    ['colour=red', 'UsageError'],
    ['ctimeout=soon', 'CONFIG_INVALID'],
    ['ctimeout=1\n2', 'CONFIG_INVALID'],
    ['ssl-check-host="', 'CONFIG_INVALID'],
    ['etimeout=5', 'UsageError'],
    ['dumptype:no-compress:auth=ssh', 'UsageError'],
  ])('that says %j is refused', (override, code) => {
    expect(failure({ overrides: [override] })).toMatchObject({ code });
  });
});

describe('a setting of the command line for an amanda.conf', () => {
  it.each([
    [
      'auth=ssh',
      '--option auth=ssh: auth has no meaning in amanda.conf outside of a dumptype; give DUMPTYPE:NAME:auth=VALUE.',
    ],
    ['dumptype:none:auth=ssh', '--option dumptype:none:auth=ssh: there is no such dumptype.'],
    [
      'dumptype:basse:auth=ssh',
      '--option dumptype:basse:auth=ssh: there is no such dumptype. Did you mean "base"?',
    ],
    ['dumptype:base:etimeout=5', expect.stringMatching(/; keys of a dumptype: auth /) as string],
  ])('is refused when it is %s', async (override, message) => {
    await write({ 'lab/amanda.conf': 'define dumptype base {\n}' });
    expect(failure({ config: 'lab', overrides: [override] })).toEqual({
      code: 'UsageError',
      message,
    });
  });

  it('holds for all when its key is one of the whole configuration', async () => {
    await write({ 'lab/amanda.conf': 'etimeout 7', 'lab/disklist': 'one /x no-compress' });
    expect(values({ config: 'lab', overrides: ['etimeout=5'] })).toMatchObject({ etimeout: 5 });
  });
});

describe('a port', () => {
  const services = 'amanda 10080/tcp kamanda # x\nother\t99/udp\nother 98/tcp two three # four\n';
  const port = (value: string, protocol: 'tcp' | 'udp' = 'tcp') =>
    resolvePort({ value, at: { file: 'f', line: 7 } }, protocol, services);

  it('is a number, or the name of a service or an alias of it', () => {
    expect([port('7'), port('65535'), port('other'), port('other', 'udp'), port('three')]).toEqual([
      7, 65_535, 98, 99, 98,
    ]);
  });

  it('is 10080 by the name amanda, even where the system has no such service', () => {
    expect([port('amanda'), port('amanda', 'udp')]).toEqual([10_080, 10_080]);
  });

  it.each(['0', '65536', 'four', 'none', '-1'])('%s is refused by file and line', (value) => {
    expect(() => port(value)).toThrow(/^f line 7: /);
  });
});
