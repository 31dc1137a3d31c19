import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readInstallation } from '../../src/cli/config/installation.js';
import { predefinedDumptypes } from '../../src/cli/config/predefined.js';
import type { Key, Settings } from '../../src/cli/config/settings.js';
import { describeReal, type Lab, openLab } from '../support/real-amanda.js';
import { missingPrograms } from '../support/skips.js';

const AMGETCONF = '/usr/sbin/amgetconf';

/**
 * Prints `CONFIG KEY HEX` for each key, by the very calls that amgetconf makes; one start of Perl
 * for all configurations.
 */
const judge = (library: string) => `
use lib '${library}';
use strict; use warnings;
use Amanda::Config qw( :getconf :init );
use Amanda::Util qw( :constants );
use Amanda::Disklist;
Amanda::Util::setup_application("amgetconf", "server", $CONTEXT_SCRIPTUTIL, "amanda", "amanda");
my $config = '';
sub say_it { my ($key, @values) = @_; print "$config $key ", unpack("H*", join("\\n", @values)), "\\n"; }
while (my $line = <STDIN>) {
  chomp $line;
  my ($kind, $name, @keys) = split / /, $line;
  if ($kind eq 'over') {
    my $overrides = new_config_overrides(1);
    add_config_override_opt($overrides, $name);
    set_config_overrides($overrides);
    next;
  }
  if ($kind eq 'list') { say_it("list-$name", getconf_list($name)); next; }
  if ($kind eq 'key') { say_it($name, getconf_byname_strs($name, 0)); next; }
  $config = $name;
  config_init_with_global($CONFIG_INIT_EXPLICIT_NAME | ($kind eq 'client' ? $CONFIG_INIT_CLIENT : 0), $name);
  my ($level, @errors) = config_errors();
  if ($level >= $CFGERR_ERRORS) { say_it('error', @errors); next; }
  next if $kind eq 'client';
  Amanda::Disklist::unload_disklist();
  $level = Amanda::Disklist::read_disklist('filename' => Amanda::Config::config_dir_relative(getconf($CNF_DISKFILE)));
  if ($level >= $CFGERR_ERRORS) { ($level, @errors) = config_errors(); say_it('error', @errors); next; }
  for my $host (Amanda::Disklist::all_hosts()) {
    for my $disk (@{$host->{'disks'}}) {
      my $dle = $host->get_disk($disk);
      my $values = sub { dumptype_getconf($dle->{'config'}, $_[0]) };
      say_it("disk:$host->{'hostname'}:" . unpack("H*", $disk), $dle->{'device'} // '', map { $values->($_) }
        $DUMPTYPE_AUTH, $DUMPTYPE_CLIENT_PORT, $DUMPTYPE_CLIENT_USERNAME, $DUMPTYPE_AMANDAD_PATH, $DUMPTYPE_SSH_KEYS);
    }
  }
}
`;

const globals: readonly Key[] = [
  'ssl-dir',
  'reserved-tcp-port',
  'reserved-udp-port',
  'unreserved-tcp-port',
  'connect-tries',
  'req-tries',
  'rep-tries',
  'ctimeout',
];
const serverOnly: readonly Key[] = ['etimeout', 'dtimeout'];
const texts: readonly Key[] = [
  'auth',
  'client-port',
  'client-username',
  'amandad-path',
  'ssh-keys',
  'ssl-fingerprint-file',
  'ssl-cert-file',
  'ssl-key-file',
  'ssl-ca-cert-file',
  'ssl-cipher-list',
];
const booleans: readonly Key[] = [
  'ssl-check-certificate-host',
  'ssl-check-host',
  'ssl-check-fingerprint',
];
const perTarget = [...texts, ...booleans];

// What may stand in a configuration, spelled in as many ways as Amanda reads.
const spelled = (word: string) =>
  fc
    .tuple(fc.array(fc.boolean(), { minLength: word.length, maxLength: word.length }), fc.boolean())
    .map(([upper, folded]) => {
      const cased = word.replace(/[a-z]/g, (letter, index: number) =>
        upper[index] === true ? letter.toUpperCase() : letter,
      );
      return folded ? cased.replaceAll('-', '_') : cased;
    });
const piece = fc.constantFrom(
  'a',
  '/x.y',
  ' ',
  '#',
  '{',
  '}',
  ',',
  "'",
  '\\"',
  '\\\\',
  '\\t',
  '\\n',
  // After an octal number 3.5.1 takes the next character as it is, even a quote or a backslash.
  '\\101z',
  '\\60z',
  '\u00e9',
  '\\q',
  '\\\n',
  '\\0z',
  '7',
);
const quoted = fc.array(piece, { maxLength: 6 }).map((pieces) => `"${pieces.join('')}"`);
const yesNo = fc.oneof(
  fc.constantFrom('', '0', '1', '7'),
  fc.constantFrom('yes', 'no', 'y', 'n', 'true', 'false', 't', 'f', 'on', 'off').chain(spelled),
);
const number = fc
  .tuple(
    fc.integer({ min: 1, max: 900 }),
    fc.constantFrom('', '', ' k', ' weeks', ' Bytes', 'day', ' KB'),
  )
  .map(([value, unit]) => `${value}${unit}`);
const range = (least: number, most: number) =>
  fc
    .tuple(
      fc.integer({ min: least, max: most }),
      fc.integer({ min: least, max: most }),
      fc.constantFrom(',', ' , ', ', ', '\t,'),
    )
    .map(([one, other, comma]) =>
      one === other ? `${one}` : `${Math.min(one, other)}${comma}${Math.max(one, other)}`,
    );
const valueOf = (key: Key): fc.Arbitrary<string> => {
  if (key === 'client-port')
    return fc.oneof(fc.integer({ min: 0, max: 70_000 }).map(String), quoted);
  if (booleans.includes(key)) return yesNo;
  if (texts.includes(key) || key === 'ssl-dir') return quoted;
  if (key === 'unreserved-tcp-port') return range(1024, 65_535);
  return key.endsWith('-port') ? range(1, 1023) : number;
};
const comment = fc.constantFrom('', '', ' # "{', '\t#', '# it\u2019s');
const indent = fc.constantFrom('', '  ', '\t');
const setting = (keys: readonly Key[]) =>
  fc
    .constantFrom(...keys)
    .chain((key) => fc.tuple(indent, spelled(key), valueOf(key), comment))
    .map(([start, key, value, end]) => `${start}${key} ${value}${end}`);
const noise = fc.constantFrom(
  '',
  '   ',
  '# auth "x" {',
  'org "x" # y',
  'mailto "a b"',
  'property "x" "y"',
);
const lines = (keys: readonly Key[], more: fc.Arbitrary<string>) =>
  fc.array(fc.oneof({ weight: 4, arbitrary: setting(keys) }, more), { maxLength: 8 });

const NAMES = ['base', 'Kid-1', 'kid_1', 'late'];
const dumptypeNoise = fc.constantFrom(
  '',
  'index',
  'record no',
  'comment "}"',
  'compress client fast',
  'exclude list append "a" "b"',
  'program "GNUTAR"',
);
/** The dumptype of that number: it may take over any before it. */
const dumptype = (index: number) => {
  const parent =
    index === 0
      ? dumptypeNoise
      : fc.constantFrom(...NAMES.slice(0, index)).chain((name) =>
          fc.oneof(
            spelledName(name),
            spelledName(name).map((word) => `"${word}"`),
          ),
        );
  return fc
    .tuple(
      lines(perTarget, fc.oneof(parent, dumptypeNoise)),
      spelled('define'),
      spelled('dumptype'),
      fc.boolean(),
      comment,
    )
    .map(
      ([body, define, word, isQuoted, end]) =>
        `${define} ${word} ${isQuoted ? `"${NAMES[index] ?? ''}"` : NAMES[index]} {${end}\n${body.join('\n')}\n}${end}`,
    );
};
const spelledName = (name: string) =>
  fc.boolean().map((upper) => (upper ? name.toUpperCase() : name));

const disk = fc.constantFrom('/x', '"/a b"', '"/\\"q"', '/\\101', 'plain');
const entry = (index: number) =>
  fc
    .tuple(
      fc.constantFrom('one', 'two.example.com'),
      disk,
      fc.constantFrom('', ' /dev/x', ' "/dev/y z"'),
      fc.constantFrom(...NAMES),
      lines(perTarget, dumptypeNoise),
      fc.constantFrom('', ' 1', ' -1 # c'),
    )
    .map(([host, name, device, type, body, rest], choice = body.length % 2) =>
      choice === 0
        ? `${host} ${name.replace(/"?$/, (end) => `${index}${end}`)}${device} ${type}${rest}`
        : `${host} ${name.replace(/"?$/, (end) => `${index}${end}`)}${device} {\n${type}\n${body.join('\n')}\n}${rest}`,
    );

interface Files {
  readonly server: string;
  readonly included: string;
  readonly client: string;
  readonly disklist: string;
}
const configuration: fc.Arbitrary<Files> = fc
  .tuple(
    lines([...globals, ...serverOnly], noise),
    fc.tuple(...NAMES.map((_, index) => dumptype(index))),
    lines([...globals, ...serverOnly], noise),
    lines([...globals, ...perTarget], fc.constantFrom('', '#', 'conf "x"', 'gnutar-list-dir "/y"')),
    fc.tuple(entry(1), entry(2), entry(3)),
  )
  .map(([before, [first = '', ...types], after, client, entries]) => ({
    // A real one that has read no name without quotes yet trips over the first one with them.
    server: [
      'define tapetype x {\n}',
      ...before,
      'IncludeFile "types.conf" # c',
      ...types,
      ...after,
    ].join('\n'),
    included: `${first}\n`,
    client: client.join('\n'),
    disklist: ['# disks', '', ...entries].join('\n'),
  }));

const COUNT = 150;
const report = (): void => undefined;
const needed =
  missingPrograms(AMGETCONF) === undefined ? (['amcheck', 'amdump'] as const) : ([] as const);

describeReal(
  'the configuration, read by us and by the calls of the real amgetconf',
  [...needed],
  () => {
    let lab: Lab;
    beforeAll(() => {
      lab = openLab();
      library = /^use lib '([^']+)';$/m.exec(readFileSync(AMGETCONF, 'latin1'))?.[1] ?? '';
    });
    afterAll(() => lab.close());
    let library = '';

    const write = (name: string, files: Partial<Files>): void => {
      mkdirSync(join(lab.sandbox.etc, name));
      const names = {
        server: 'amanda.conf',
        included: 'types.conf',
        client: 'amanda-client.conf',
        disklist: 'disklist',
      } as const;
      for (const [kind, text] of Object.entries(files))
        writeFileSync(join(lab.sandbox.etc, name, names[kind as keyof Files]), `${text}\n`);
    };
    /** The values in hex, by `CONFIG KEY`. */
    const ask = async (questions: readonly string[]): Promise<ReadonlyMap<string, string>> => {
      const script = join(lab.sandbox.directory, 'judge.pl');
      writeFileSync(script, judge(library));
      const { stdout, stderr, code } = await lab.asBackup('/usr/bin/perl', [script], {
        input: `${questions.join('\n')}\n`,
      });
      expect([code, stderr]).toEqual([0, '']);
      return new Map(
        stdout
          .split('\n')
          .map(
            (line) =>
              [line.split(' ').slice(0, -1).join(' '), line.split(' ').at(-1) ?? ''] as const,
          ),
      );
    };
    const ours = (config: string, dumptype: string | undefined, host = 'nobody', disk?: string) =>
      readInstallation({
        directory: lab.sandbox.etc,
        config,
        dumptype,
        host,
        disk,
        report: () => undefined,
        warn: () => undefined,
      });

    it(`is the same in ${COUNT} files at random`, async () => {
      const samples = fc.sample(configuration, { seed: 351, numRuns: COUNT });
      samples.forEach((files, index) => {
        write(`c${index}`, files);
      });
      write('empty', { server: 'define dumptype none {\n}', client: '', disklist: '' });
      const dumptypeKeys = (name: string) => perTarget.map((key) => `key dumptype:${name}:${key}`);
      const serverKeys = [...globals, ...serverOnly].map((key) => `key ${key}`);
      const clientKeys = [...globals, ...perTarget].map((key) => `key ${key}`);
      const names = samples.map((_, index) => `c${index}`);
      const server = await ask([
        ...names.flatMap((name) => [
          `server ${name}`,
          ...serverKeys,
          ...NAMES.flatMap(dumptypeKeys),
        ]),
        'server empty',
        ...serverKeys,
        ...dumptypeKeys('none'),
      ]);
      const client = await ask([
        ...names.flatMap((name) => [`client ${name}`, ...clientKeys]),
        'client empty',
        ...clientKeys,
      ]);
      let [compared, set] = [0, 0];
      const compare = (
        settings: Settings,
        key: Key,
        theirs: string | undefined,
        otherwise: string | undefined,
        what: string,
      ): void => {
        compared += 1;
        set += settings[key] === undefined ? 0 : 1;
        expect([
          what,
          settings[key] === undefined ? otherwise : hexOf(settings[key].value),
        ]).toEqual([what, theirs]);
      };
      for (const name of names) {
        expect(
          [server.get(`${name} error`), client.get(`${name} error`)].map((hex) =>
            Buffer.from(hex ?? '', 'hex').toString(),
          ),
        ).toEqual(['', '']);
        for (const type of NAMES) {
          const { settings } = ours(name, type);
          for (const key of perTarget)
            compare(
              settings,
              key,
              server.get(`${name} dumptype:${type}:${key}`),
              server.get(`empty dumptype:none:${key}`),
              `${name} ${type} ${key}`,
            );
          for (const key of [...globals, ...serverOnly])
            compare(
              settings,
              key,
              server.get(`${name} ${key}`),
              server.get(`empty ${key}`),
              `${name} ${key}`,
            );
        }
        rmSync(join(lab.sandbox.etc, name, 'amanda.conf'));
        const { settings } = ours(name, undefined);
        for (const key of [...globals, ...perTarget])
          compare(
            settings,
            key,
            client.get(`${name} ${key}`),
            client.get(`empty ${key}`),
            `${name} client ${key}`,
          );
        writeFileSync(
          join(lab.sandbox.etc, name, 'amanda.conf'),
          `${samples[names.indexOf(name)]?.server ?? ''}\n`,
        );
      }
      let disks = 0;
      for (const [question, hex] of server) {
        const [, name = '', host = '', diskHex = ''] =
          /^(c\d+) disk:([^:]+):(.*)$/.exec(question) ?? [];
        if (name === '') continue;
        disks += 1;
        const { settings, entry: found } = ours(
          name,
          undefined,
          host,
          Buffer.from(diskHex, 'hex').toString(),
        );
        const values = (
          ['auth', 'client-port', 'client-username', 'amandad-path', 'ssh-keys'] as const
        ).map((key) => settings[key]?.value ?? (key === 'auth' ? 'BSDTCP' : ''));
        expect([question, [found?.device ?? '', ...values].join('\n')]).toEqual([
          question,
          Buffer.from(hex, 'hex').toString(),
        ]);
      }
      expect(disks).toBe(3 * COUNT);
      expect(set).toBeGreaterThan(compared / 5);
    });

    it('is the same where the real amgetconf itself is asked', async () => {
      const [files] = fc.sample(configuration, { seed: 7, numRuns: 1 });
      write('sample', { ...files, disklist: '' });
      const answers = await ask([
        'server sample',
        ...perTarget.map((key) => `key dumptype:late:${key}`),
      ]);
      for (const key of perTarget) {
        const { output, stderr, code } = await lab.asBackup(AMGETCONF, [
          'sample',
          `dumptype:late:${key}`,
        ]);
        expect([output.toString('hex'), stderr, code]).toEqual([
          `${answers.get(`sample dumptype:late:${key}`) ?? ''}0a`,
          '',
          0,
        ]);
      }
    });

    const base = 'define dumptype x {\n program "GNUTAR"\n}';
    const inWords = (hex: string | undefined): string => Buffer.from(hex ?? '', 'hex').toString();

    it('has the dumptypes that Amanda defines, with the same settings', async () => {
      write('own', { server: base, disklist: '' });
      const keys = ['compress', 'auth', 'record', 'program', 'index'] as const;
      const listed = inWords(
        (await ask(['server own', 'list dumptype'])).get('own list-dumptype'),
      ).split('\n');
      const names = listed.filter((name) => name.toLowerCase() !== 'x');
      expect(names.map((name) => name.toLowerCase()).sort()).toEqual(
        [...predefinedDumptypes.keys()].sort(),
      );
      const answers = await ask([
        'server own',
        ...names.flatMap((name) => keys.map((key) => `key dumptype:${name}:${key}`)),
      ]);
      const defaults = {
        compress: 'FAST',
        auth: 'BSDTCP',
        record: true,
        program: 'DUMP',
        index: true,
      };
      const spell = (value: unknown): string =>
        typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
      for (const name of names) {
        const { settings } = ours('own', name);
        for (const key of keys) {
          const value = spell(settings[key]?.value ?? defaults[key]);
          const theirs = inWords(answers.get(`own dumptype:${name}:${key}`));
          expect([name, key, theirs.replace(/^"|"$/g, '').replace('SERVER ', 'SERVER-')]).toEqual([
            name,
            key,
            key === 'compress' && /^[FBC]/.test(value) ? `CLIENT ${value}` : value,
          ]);
        }
      }
    });

    it.each<readonly [server: string, disklist: string, over?: string]>([
      [base, 'one /x x\nOne /y x'],
      [base, 'one /x x\none /x x'],
      [base, 'one /x x 1 nope'],
      [base, 'one /x x one'],
      [base, 'one /x x 1 default more'],
      [base, 'one /x {\nx\n} 1 nope'],
      [base, 'one /x nodt'],
      [base, 'one /x'],
      ['define dumptype no-compress {\n}', ''],
      ['define dumptype "SRVcompress" {\n}', ''],
      ['auth "ssh"', ''],
      ['client-port 5', ''],
      ['define dumptype y {\n etimeout 5\n}', ''],
      ['define dumptype y {\n ssl-dir "/x"\n}', ''],
      ['define dumptype y {\n compress none best\n}', ''],
      ['define dumptype y {\n compress client server\n}', ''],
      ['define dumptype y {\n encrypt yes\n}', ''],
      ['define dumptype y {\n estimate\n}', ''],
      ['define dumptype y {\n exclude "a" list\n}', ''],
      ['define dumptype y {\n script "none"\n}', ''],
      ['define dumptype y {\n application "none"\n}', ''],
      ['define dumptype y {\n program "gnutar"\n}', ''],
      ['define dumptype y {\n strategy never\n}', ''],
      ['define dumptype y {\n maxdumps 0\n}', ''],
      ['define script s {\n execute-on never\n}', ''],
      [base, 'one /x x', 'auth=ssh'],
      [base, 'one /x x\none _x x'],
      [base, 'a:b /x x\na_b /x x'],
      [base, 'one /x x', 'client-port=5'],
      [base, 'one /x x', 'ssl-cert-file=/x'],
      [base, 'one /x x', 'nonsense=5'],
      [base, 'one /x x', 'dumptype:none:auth=ssh'],
      [base, 'one /x x', 'dumptype:x:etimeout=5'],
      [base, 'one /x x', 'dumptype:x:nonsense=5'],
    ])('is refused by both when it says %j, with the disklist %j and -o %j', async (...text) => {
      const [server, disklist, over] = text;
      const name = `no-${createHash('sha256').update(text.join('|')).digest('hex').slice(0, 12)}`;
      write(name, { server, disklist });
      const answers = await ask([
        ...(over === undefined ? [] : [`over ${over}`]),
        `server ${name}`,
      ]);
      expect(inWords(answers.get(`${name} error`))).not.toBe('');
      const options = {
        directory: lab.sandbox.etc,
        config: name,
        host: 'one',
        report,
        warn: report,
      };
      expect(() =>
        readInstallation({ ...options, ...(over === undefined ? {} : { overrides: [over] }) }),
      ).toThrow();
    });

    it.each<readonly [server: string, disklist: string, over?: string]>([
      [base, 'one /x x 1 default\ntwo /x X 2 DEFAULT\nthree /x srvCompress -1'],
      ['define interface le0 {\n}\n' + base, 'one /x {\n no-record\n x\n} 1 LE0'],
      ['define dumptype y {\n no-compress\n "BSD-auth"\n}', 'one /x y'],
      [base, 'one /x /dev/x x\none /y /dev/x x'],
      [base, 'one /x x\none x x\ntwo _x x'],
      [base, 'one /x x', 'etimeout=5'],
      [base, 'one /x x', 'ssl-dir=/x'],
      [base, 'one /x no-compress', 'DUMPTYPE:no-compress:auth=ssh'],
      [base, 'one /x x', 'dumptype:x:compress=server best'],
    ])('is taken by both when it says %j, with the disklist %j and -o %j', async (...text) => {
      const [server, disklist, over] = text;
      const name = `ok-${createHash('sha256').update(text.join('|')).digest('hex').slice(0, 12)}`;
      write(name, { server, disklist });
      const answers = await ask([
        ...(over === undefined ? [] : [`over ${over}`]),
        `server ${name}`,
      ]);
      expect(inWords(answers.get(`${name} error`))).toBe('');
      const { settings } = readInstallation({
        directory: lab.sandbox.etc,
        config: name,
        host: 'one',
        disk: '/x',
        report,
        warn: report,
        ...(over === undefined ? {} : { overrides: [over] }),
      });
      const [, auth] = inWords(answers.get(`${name} disk:one:${Buffer.from('/x').toString('hex')}`))
        .toLowerCase()
        .split('\n');
      expect(settings.auth?.value.toLowerCase() ?? 'bsdtcp').toBe(auth);
    });

    it.each([
      'ctimeout 0',
      'ctimeout "5"',
      'ctimeout 5 parsecs',
      'ctimeout',
      'etimeout 0',
      'ssl-dir /x',
      'ssl-dir',
      'ssl-dir "x" "y"',
      'ssl-dir "x',
      'reserved-tcp-port "600,700"',
      'reserved-tcp-port 700,600',
      'reserved-tcp-port 1024',
      'reserved-tcp-port 600 700',
      'unreserved-tcp-port 80,2000',
      'req-tries -1',
      'define dumptype x {\nssl-check-host "yes"\n}',
      'define dumptype x {\nssl-check-host maybe\n}',
      'define dumptype x {\nclient-port yes\n}',
      'define dumptype x {\nnobody\n}',
      'define dumptype x {\n"nobody"\n}',
      'define dumptype x {\n}\ndefine dumptype X {\n}',
      'define dumptype x { auth "ssh" }',
      'define dumptype x {\nauth "ssh"',
      'includefile "nowhere"',
      '}',
      '"ctimeout" 5',
      '5',
    ])('is refused by both when it says %j', async (text) => {
      const name = `bad-${Buffer.from(text).toString('hex')}`;
      write(name, { server: `\n${text}`, disklist: '' });
      const answers = await ask([`server ${name}`]);
      expect(Buffer.from(answers.get(`${name} error`) ?? '', 'hex').toString()).not.toBe('');
      expect(() => ours(name, undefined)).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(/amanda\.conf line [2-4]: /) as string,
        }) as Error,
      );
    });
  },
);

/** A value of these tests as amgetconf prints it: lists are not among them. */
function hexOf(value: NonNullable<Settings[Key]>['value']): string {
  const text =
    typeof value === 'object' && 'first' in value
      ? `${value.first},${value.last}`
      : typeof value === 'boolean'
        ? value
          ? 'yes'
          : 'no'
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value);
  return Buffer.from(text).toString('hex');
}
