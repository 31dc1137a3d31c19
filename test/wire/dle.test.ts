import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDle } from '../../src/wire/dle/dle-format.js';
import { parseDles } from '../../src/wire/dle/dle-parse.js';
import type { Dle } from '../../src/wire/dle/dle.js';
import { isAmandaError } from '../../src/wire/errors.js';

const badDle = (message: string): unknown =>
  expect.objectContaining({
    code: 'BAD_DLE',
    message: expect.stringContaining(message) as unknown,
  });

// The second DLE of the planner in capture amdump.1.
const estimateText = `<dle>
  <program>APPLICATION</program>
  <backup-program>
    <plugin>amgtar</plugin>
    <property>
      <name>gnutar-path</name>
      <value>/bin/tar</value>
    </property>
    <property>
      <name>gnutar-listdir</name>
      <value>/var/lib/amanda/gnutar-lists</value>
    </property>
  </backup-program>
  <estimate>CLIENT </estimate>
  <disk>amgtar</disk>
  <diskdevice>/tmp/lab/tiny</diskdevice>
  <level>0</level>
    <spindle>-1</spindle>
  <auth>bsdtcp</auth>
  <record>NO</record>
  <index>YES</index>
  <datapath>AMANDA</datapath>
</dle>
`;
const backupProgram = {
  plugin: 'amgtar',
  properties: [
    { name: 'gnutar-path', values: ['/bin/tar'] },
    { name: 'gnutar-listdir', values: ['/var/lib/amanda/gnutar-lists'] },
  ],
};
const estimate: Dle = {
  program: 'APPLICATION',
  disk: 'amgtar',
  diskdevice: '/tmp/lab/tiny',
  estimate: ['CLIENT'],
  levels: [{ level: 0 }],
  spindle: -1,
  auth: 'bsdtcp',
  record: false,
  index: true,
  datapath: { kind: 'AMANDA', addresses: [] },
  backupProgram,
};

// The DLE of the dumper in capture amdump.3.
const backupText = `<dle>
  <program>APPLICATION</program>
  <disk>amgtar</disk>
  <diskdevice>/tmp/lab/tiny</diskdevice>
  <level>0</level>
  <auth>bsdtcp</auth>
  <record>NO</record>
  <index>YES</index>
  <datapath>AMANDA</datapath>
  <backup-program>
    <plugin>amgtar</plugin>
    <property>
      <name>gnutar-path</name>
      <value>/bin/tar</value>
    </property>
    <property>
      <name>gnutar-listdir</name>
      <value>/var/lib/amanda/gnutar-lists</value>
    </property>
  </backup-program>
</dle>
`;
const { estimate: _estimate, spindle: _spindle, ...backup } = estimate;

const fullText = `<dle>
  <program>GNUTAR</program>
  <disk encoding="raw" raw="aMOkIDE=">h___1</disk>
  <level>0</level>
  <level>1<server>YES</server></level>
  <dumpdate>0:1970:1:1:0:0:0</dumpdate>
  <auth>ssh</auth>
  <compress>CUSTOM<custom-compress-program>/usr/bin/zstd</custom-compress-program>
  </compress>
  <encrypt>CUSTOM<custom-encrypt-program>/usr/sbin/amcrypt</custom-encrypt-program>
    <decrypt-option>-d</decrypt-option>
  </encrypt>
  <record>YES</record>
  <kencrypt>YES</kencrypt>
  <datapath>DIRECTTCP
    <directtcp>10.0.0.1:5000</directtcp>
    <directtcp>10.0.0.1:5001</directtcp>
  </datapath>
  <exclude>
    <file>./tmp/*</file>
    <list>/etc/exclude</list>
    <optional>YES</optional>
  </exclude>
  <include>
    <file encoding="raw" raw="Li9hICY8Ig==">./a____</file>
  </include>
  <script>
    <plugin>script-email</plugin>
    <execute_where>CLIENT</execute_where>
    <execute_on>PRE-DLE-BACKUP,POST-DLE-BACKUP</execute_on>
    <property>
      <name>mailto</name>
      <priority>yes</priority>
      <value>amanda</value>      <value>root</value>
    </property>
    <client_name>mail</client_name>
  </script>
    <property>
      <name>colour</name>
      <value>blue</value>
    </property>
  <novelty>x
    <inside>y</inside>
  </novelty>
</dle>
`;
const full: Dle = {
  program: 'GNUTAR',
  disk: 'hä 1',
  levels: [{ level: 0 }, { level: 1, server: true }],
  dumpdate: '0:1970:1:1:0:0:0',
  auth: 'ssh',
  compress: { method: 'CUSTOM', program: '/usr/bin/zstd' },
  encrypt: { method: 'CUSTOM', program: '/usr/sbin/amcrypt', decryptOption: '-d' },
  record: true,
  kencrypt: true,
  datapath: { kind: 'DIRECTTCP', addresses: ['10.0.0.1:5000', '10.0.0.1:5001'] },
  exclude: { files: ['./tmp/*'], lists: ['/etc/exclude'], optional: true },
  include: { files: ['./a &<"'], lists: [], optional: false },
  scripts: [
    {
      plugin: 'script-email',
      properties: [{ name: 'mailto', values: ['amanda', 'root'], priority: true }],
      clientName: 'mail',
      executeWhere: 'CLIENT',
      executeOn: ['PRE-DLE-BACKUP', 'POST-DLE-BACKUP'],
    },
  ],
  properties: [{ name: 'colour', values: ['blue'] }],
  other: [
    { name: 'novelty', text: 'x\n', children: [{ name: 'inside', text: 'y', children: [] }] },
  ],
};

describe('formatDle', () => {
  test('writes a DLE for an estimate as the planner does', () => {
    expect(formatDle(estimate)).toBe(estimateText);
  });

  test('writes a DLE for a dump as the dumper does', () => {
    expect(formatDle(backup)).toBe(backupText);
  });

  test('writes everything that a DLE may have', () => {
    expect(
      formatDle({
        ...full,
        other: [
          { name: 'novelty', text: 'x', children: [{ name: 'inside', text: 'y', children: [] }] },
        ],
      }),
    ).toBe(fullText);
  });

  test('writes each part by itself', () => {
    const lines = (part: Partial<Dle>) =>
      formatDle({ program: 'DUMP', disk: 'd', ...part })
        .split('\n')
        .slice(3, -2);
    expect(lines({ compress: { method: 'FAST' } })).toEqual(['  <compress>FAST</compress>']);
    expect(lines({ encrypt: { method: 'CUSTOM', decryptOption: '-d' } })).toEqual([
      '  <encrypt>CUSTOM',
      '    <decrypt-option>-d</decrypt-option>',
      '  </encrypt>',
    ]);
    expect(lines({ levels: [{ level: 399, server: false }] })).toEqual([
      '  <level>399<server>NO</server></level>',
    ]);
    expect(lines({ spindle: 2_147_483_647 })).toEqual(['    <spindle>2147483647</spindle>']);
    expect(lines({ spindle: -2_147_483_648 })).toEqual(['    <spindle>-2147483648</spindle>']);
    expect(lines({ properties: [{ name: 'n', values: [], priority: false }] })).toEqual([
      '    <property>',
      '      <name>n</name>',
      '',
      '    </property>',
    ]);
  });

  test('writes every method of an estimate, each with a blank', () => {
    const all = { ...estimate, estimate: ['CLIENT', 'SERVER'] } as const;
    expect(formatDle(all)).toContain('\n  <estimate>CLIENT SERVER </estimate>\n');
  });

  test('writes the names of clients, and a script without a time or a property', () => {
    const script = { plugin: 's', properties: [], executeOn: [] };
    const plugin = { plugin: 'p', properties: [], clientName: 'c' };
    expect(
      formatDle({ program: 'APPLICATION', disk: 'd', scripts: [script], backupProgram: plugin }),
    ).toBe(
      '<dle>\n  <program>APPLICATION</program>\n  <disk>d</disk>\n' +
        '  <script>\n    <plugin>s</plugin>\n  </script>\n' +
        '  <backup-program>\n    <plugin>p</plugin>\n    <client_name>c</client_name>\n' +
        '  </backup-program>\n</dle>\n',
    );
  });

  test.each<[Partial<Dle>, string]>([
    [{ program: '' as 'DUMP' }, 'must be DUMP, GNUTAR, STAR, APPLICATION, not an empty string.'],
    [{ program: 'APPLICATION', backupProgram: undefined }, 'needs a backupProgram'],
    [{ disk: '' }, 'The disk of a DLE must be a string that is not empty'],
    [{ disk: 'a\0' }, 'the text of <disk> has a NUL'],
    [
      { levels: [{ level: 400 }] },
      'The level of a DLE must be a whole number from 0 to 399, not 400.',
    ],
    [{ levels: [{ level: 0.5 }] }, 'The level of a DLE'],
    [{ levels: [{ level: -1 }] }, 'The level of a DLE'],
    [{ spindle: Number.NaN }, 'The spindle of a DLE'],
    [{ other: [{ name: 'a b', text: '', children: [] }] }, '"a b" is no name'],
  ])('refuses %j', (part, message) => {
    expect(() => formatDle({ ...backup, ...part })).toThrow(badDle(message));
  });

  test('writes elements inside elements, each a level deeper', () => {
    const leaf = { name: 'c', text: 'x', children: [] };
    const inner = { name: 'b', text: '', children: [leaf, leaf] };
    const outer = { name: 'a', text: 't', children: [inner] };
    expect(formatDle({ program: 'DUMP', disk: 'd', other: [outer] })).toContain(
      '\n  <a>t\n    <b>\n      <c>x</c>\n      <c>x</c>\n    </b>\n  </a>\n</dle>\n',
    );
  });

  test.each([
    ['<', 'PA=='],
    ['>', 'Pg=='],
    ['"', 'Ig=='],
    ['&', 'Jg=='],
    ['\\', 'XA=='],
    ["'", 'Jw=='],
    [' ', 'IA=='],
    ['\u0001', 'AQ=='],
  ])('writes the text %j in base64', (text, base64) => {
    expect(formatDle({ program: 'DUMP', disk: `a${text}~` })).toContain(
      `<disk encoding="raw" raw="${Buffer.from(`a${text}~`).toString('base64')}">a_~</disk>`,
    );
    expect(Buffer.from(text).toString('base64')).toBe(base64);
  });

  test('writes the text DEL as it is', () => {
    expect(formatDle({ program: 'DUMP', disk: 'a\u007f' })).toContain('<disk>a\u007f</disk>');
  });
});

describe('parseDles', () => {
  test('reads a name that is not UTF-8, which formatDle writes byte for byte', () => {
    const text = '<dle><program>GNUTAR</program><disk encoding="raw" raw="L+k=">/_</disk></dle>';
    const [dle] = parseDles(text);
    expect(dle?.disk).toBe('/\udce9');
    expect(formatDle({ program: 'GNUTAR', disk: '/\udce9' })).toContain(' raw="L+k=">/_</disk>');
  });

  test('reads the DLEs of an estimate and of a dump, one after the other', () => {
    expect(parseDles(estimateText + backupText)).toStrictEqual([estimate, backup]);
    expect(parseDles('')).toEqual([]);
    expect(parseDles('\n')).toEqual([]);
  });

  test('reads everything that a DLE may have, and keeps what is new', () => {
    expect(parseDles(fullText)).toStrictEqual([full]);
  });

  test('decodes entities and drops blanks at the end of a text', () => {
    const text =
      '<dle><program>GNUTAR</program><disk>a&lt;&gt;&amp;&quot;&apos;&#228;&#x20ac;  </disk><estimate>CALCSIZE SERVER </estimate></dle>';
    expect(parseDles(text)).toEqual([
      { program: 'GNUTAR', disk: 'a<>&"\'ä€', estimate: ['CALCSIZE', 'SERVER'] },
    ]);
  });

  test('reads empty elements, and calcsize for an estimate', () => {
    const text =
      '<dle><program>DUMP</program><disk>a</disk><include/><calcsize>YES</calcsize></dle>';
    expect(parseDles(text)).toEqual([
      {
        program: 'DUMP',
        disk: 'a',
        estimate: ['CALCSIZE'],
        include: { files: [], lists: [], optional: false },
      },
    ]);
  });

  const disk = '<program>GNUTAR</program><disk>a</disk>';
  const inside = (text: string) => `<dle>${disk}${text}</dle>`;

  test.each<[string, string]>([
    ['x', 'there is text outside of any element: "x"'],
    ['<dle>', '<dle> is not closed'],
    ['<dle><program>GNUTAR', '<program> is not closed'],
    ['</dle>', '</dle> closes nothing'],
    ['</>', '</> closes nothing'],
    ['<dle></dle>', '<dle> has no <program>'],
    ['<dle><program/><disk>a</disk></dle>', '<dle> has no <program>'],
    ['<dle><program>GNUTAR</program></dle>', '<dle> has no <disk>'],
    [
      '<dle><program>APPLICATION</program><disk>a</disk></dle>',
      'its program is APPLICATION and it names none',
    ],
    ['<dump></dump>', '<dump> stands where only <dle> may'],
    [`<dump>${disk}</dump>`, '<dump> stands where only <dle> may'],
    ['<dle><disk>a</dle></disk>', '</dle> closes nothing'],
    ['<!-- x -->', '"<!-- x -->" is no tag'],
    ['<?xml version="1.0"?>', 'is no tag'],
    ['<!DOCTYPE a>', 'is no tag'],
    [inside('text'), '<dle> has text in two places'],
    [`<dle>text${disk}</dle>`, '<dle> has a text of its own'],
    [inside('<disk>b</disk>'), '<disk> is twice in <dle>'],
    [inside('<level>x</level>'), '"x" is no level from 0 to 399'],
    [inside('<level>-1</level>'), '"-1" is no level from 0 to 399'],
    [inside('<level>400</level>'), '"400" is no level from 0 to 399'],
    [inside('<level>0x10</level>'), '"0x10" is no level'],
    [inside('<level>+1</level>'), '"+1" is no level'],
    [inside('<level></level>'), '"" is no level'],
    [inside('<level>1<host/></level>'), '<host> cannot be in <level>'],
    [inside('<spindle> 1</spindle>'), '" 1" is no spindle'],
    [inside('<spindle>2147483648</spindle>'), 'is no spindle from -2147483648 to 2147483647'],
    [inside('<record>perhaps</record>'), '"PERHAPS" is no answer (YES, NO)'],
    [inside('<compress>ZIP</compress>'), '"ZIP" is no compress (FAST, BEST, CUSTOM, SERVER-FAST'],
    [inside('<compress>CUSTOM<decrypt-option/></compress>'), 'cannot be in <compress>'],
    [inside('<compress>CUSTOM<custom-encrypt-program/></compress>'), 'cannot be in <compress>'],
    [inside('<encrypt>CUSTOM<program/></encrypt>'), '<program> cannot be in <encrypt>'],
    [inside('<encrypt>ZIP</encrypt>'), '"ZIP" is no encrypt (NO, CUSTOM, SERVER-CUSTOM)'],
    [inside('<datapath>FTP</datapath>'), '"FTP" is no datapath (AMANDA, DIRECTTCP)'],
    [inside('<datapath>AMANDA<port/></datapath>'), '<port> cannot be in <datapath>'],
    [inside('<estimate>GUESS</estimate>'), '"GUESS" is no estimate (CLIENT, SERVER, CALCSIZE)'],
    [inside('<exclude><files>x</files></exclude>'), '<files> cannot be in <exclude>'],
    [inside('<exclude>x<file>y</file></exclude>'), '<exclude> has a text of its own'],
    [inside('<script>x<plugin>y</plugin></script>'), '<script> has a text of its own'],
    [inside('<script><plugin>y</plugin><on/></script>'), '<on> cannot be in <script>'],
    [inside('<script></script>'), '<script> has no <plugin>'],
    [inside('<property>x<name>y</name></property>'), '<property> has a text of its own'],
    [inside('<property><name>y</name><x/></property>'), '<x> cannot be in <property>'],
    [inside('<property></property>'), '<property> has no <name>'],
    [inside('<auth><x/></auth>'), '<x> cannot be in <auth>'],
    [inside('<auth>&nbsp;</auth>'), '"&nbsp;" stands for no character'],
    [inside('<auth>&amp</auth>'), '"&amp" stands for no character'],
    [inside('<auth>&#0;</auth>'), '"&#0;" stands for no character'],
    [inside('<auth>&#xd800;</auth>'), '"&#xd800;" stands for no character'],
    [inside('<auth>&#xdfff;</auth>'), '"&#xdfff;" stands for no character'],
    [inside('<auth>&#x110000;</auth>'), '"&#x110000;" stands for no character'],
    [inside('<auth>&x#65;</auth>'), 'stands for no character'],
    [inside('<auth>&#65x;</auth>'), 'stands for no character'],
    [inside('<auth>a & b</auth>'), 'stands for no character'],
    [inside('<auth colour="red">a</auth>'), 'cannot have the attribute "colour", or not twice'],
    [
      inside('<auth raw="YQ==" raw="YQ==">a</auth>'),
      'cannot have the attribute "raw", or not twice',
    ],
    [inside('<auth raw=YQ==>a</auth>'), 'the attributes of <auth> cannot be read'],
    [inside('<auth raw="YQ=="x>a</auth>'), 'the attributes of <auth> cannot be read'],
    [inside('<auth x raw="YQ==">a</auth>'), 'the attributes of <auth> cannot be read'],
    [inside('<auth raw="!">_</auth>'), 'the raw attribute of <auth> is not base64'],
    [inside('<auth raw="AA==">_</auth>'), 'the raw attribute of <auth> is not base64'],
    [inside('<backup-program></backup-program>'), '<backup-program> has no <plugin>'],
    [inside('<backup-program><x/></backup-program>'), '<x> cannot be in <backup-program>'],
    [inside('a < b'), '<dle> has text in two places'],
    ['<dle>a < b', 'there is a lone "<"'],
    [`<dle>a > b`, 'there is a lone ">"'],
    [inside(`${'<x>'.repeat(8)}${'</x>'.repeat(8)}`), 'elements are nested more than 8 deep'],
    [`<1>`, '"<1>" is no tag'],
    [`<>`, '"<>" is no tag'],
    [`<${'a'.repeat(65)}>`, 'is no tag'],
  ])('refuses %j', (text, message) => {
    expect(() => parseDles(text)).toThrow(badDle(message));
  });

  const one = (text: string) => parseDles(inside(text))[0];

  test('reads every number within its range', () => {
    expect(one('<level>399</level><level> 0\n</level>')?.levels).toStrictEqual([
      { level: 399 },
      { level: 0 },
    ]);
    expect(one('<level> 1<server>no</server></level>')?.levels).toStrictEqual([
      { level: 1, server: false },
    ]);
    expect(one('<spindle>2147483647</spindle>')?.spindle).toBe(2_147_483_647);
    expect(one('<spindle>-2147483648</spindle>')?.spindle).toBe(-2_147_483_648);
  });

  test('ignores blanks around words', () => {
    expect(one('<compress>\nFAST\n</compress>')?.compress).toStrictEqual({ method: 'FAST' });
    expect(one('<datapath> AMANDA\n</datapath>')?.datapath?.kind).toBe('AMANDA');
    expect(one('<estimate> CLIENT  SERVER </estimate>')?.estimate).toEqual(['CLIENT', 'SERVER']);
    expect(one('<calcsize>no</calcsize>')?.estimate).toBeUndefined();
  });

  test('reads a script without a time, and one with gaps in its list', () => {
    const script = '<script><plugin>a</plugin><execute_on>X,,Y,</execute_on></script>';
    expect(one(`${script}<script><plugin>b</plugin></script>`)?.scripts).toStrictEqual([
      { plugin: 'a', properties: [], executeOn: ['X', 'Y'] },
      { plugin: 'b', properties: [], executeOn: [] },
    ]);
  });

  test('reads any text as a yes where Amanda does, and an empty one as a no', () => {
    expect(one('<exclude><optional>no</optional></exclude>')?.exclude?.optional).toBe(true);
    expect(one('<exclude><optional/></exclude>')?.exclude?.optional).toBe(false);
    expect(
      one('<property><name>n</name><priority>Yes</priority></property>')?.properties,
    ).toStrictEqual([{ name: 'n', values: [], priority: true }]);
    expect(
      one('<property><name>n</name><priority>no</priority></property>')?.properties,
    ).toStrictEqual([{ name: 'n', values: [] }]);
  });

  test('reads a backup program with all its parts', () => {
    const text = '<backup-program><plugin>p</plugin><client_name>c</client_name></backup-program>';
    expect(one(text)?.backupProgram).toStrictEqual({
      plugin: 'p',
      properties: [],
      clientName: 'c',
    });
  });

  test('reads characters by number up to the last one', () => {
    expect(one('<auth>&#1;&#xd7ff;&#xe000;&#x10ffff;&#x10FFFF;&#1114111;</auth>')?.auth).toBe(
      '\u0001\ud7ff\ue000\u{10ffff}\u{10ffff}\u{10ffff}',
    );
  });

  test('reads a raw attribute where there is text, whatever is before and after it', () => {
    expect(one('<auth  encoding="raw"\n raw="w6Q=" >_</auth >')?.auth).toBe('ä');
    expect(one('<auth raw="77u/YQ==">_</auth>')?.auth).toBe('\ufeffa');
    expect(one('<auth raw="YQ=="></auth>')?.auth).toBe('');
    expect(one('<auth raw="YQ=="> </auth>')?.auth).toBe('');
    expect(one('<auth raw=""/>')?.auth).toBe('');
    expect(one('<auth raw="">_</auth>')?.auth).toBe('');
  });

  test('reads names of 64 characters, and elements 8 deep', () => {
    const name = `_${'a.-9'.repeat(15)}bcd`;
    expect(one(`<${name}/>`)?.other).toEqual([{ name, text: '', children: [] }]);
    expect(() => one(`${'<x>'.repeat(7)}${'</x>'.repeat(7)}`)).not.toThrow();
  });

  test('reads a lot of text and elements', () => {
    expect(parseDles(' '.repeat(4_194_304))).toEqual([]);
    const disks = '<x/>'.repeat(200_000 - 3);
    expect(one(disks)?.other).toHaveLength(199_997);
  });

  test.each([
    ['too many elements', '<x/>'.repeat(200_001), 'more than 200000 elements'],
    ['too much text', ' '.repeat(4_194_305), 'it has 4194305 characters'],
    ['a tag of blanks', `<a${' '.repeat(1_000_000)}!>`, 'the attributes of <a> cannot be read'],
    [
      'a text of blanks',
      inside(`<x>${' '.repeat(1_000_000)}x${' '.repeat(1_000_000)}x</x>`).slice(0, -1),
      'there is a lone "<"',
    ],
    ['angles', '<'.repeat(1_000_000), 'there is a lone "<"'],
  ])('refuses %s in a moment', (_, text, message) => {
    expect(() => parseDles(text)).toThrow(badDle(message));
  });

  test('reads back any names as they were written', () => {
    const name = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'));
    const dle = fc.record(
      {
        program: fc.constantFrom('GNUTAR', 'DUMP'),
        disk: name,
        diskdevice: name,
        levels: fc.array(fc.record({ level: fc.nat(399) }), { minLength: 1 }),
        index: fc.boolean(),
        exclude: fc.record({
          files: fc.array(name),
          lists: fc.array(name),
          optional: fc.boolean(),
        }),
        properties: fc.array(fc.record({ name, values: fc.array(name) }), { minLength: 1 }),
        backupProgram: fc.record({
          plugin: name,
          properties: fc.array(fc.record({ name, values: fc.array(name) })),
        }),
      },
      { requiredKeys: ['program', 'disk'], noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(dle, { maxLength: 3 }), (list) => {
        expect(parseDles(list.map(formatDle).join(''))).toEqual(list);
      }),
    );
  });

  test('throws nothing but BAD_DLE, whatever comes', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '<dle>',
        '</dle>',
        '<program>',
        '</program>',
        '<disk>',
        '</disk>',
        '<x/>',
        '<a raw="',
        '">',
        '&',
        ';',
        '<',
        '>',
        '&#',
        'GNUTAR',
        '<level>',
        '</level>',
      ),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          parseDles(pieces.join(''));
        } catch (error) {
          expect(isAmandaError(error, 'BAD_DLE')).toBe(true);
        }
      }),
    );
  });
});
