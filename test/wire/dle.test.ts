import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDle } from '../../src/wire/dle-format.js';
import { parseDles } from '../../src/wire/dle-parse.js';
import type { Dle } from '../../src/wire/dle.js';
import { isAmandaError } from '../../src/wire/errors.js';

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

  test.each([
    { ...backup, disk: '' },
    { ...backup, disk: 'a\0' },
    { ...backup, levels: [{ level: 400 }] },
    { ...backup, levels: [{ level: 0.5 }] },
    { ...backup, spindle: Number.NaN },
    { ...backup, other: [{ name: 'a b', text: '', children: [] }] },
  ])('refuses what could not be read, %#', (dle) => {
    expect(() => formatDle(dle)).toThrow(expect.objectContaining({ code: 'BAD_DLE' }));
  });
});

describe('parseDles', () => {
  test('reads the DLEs of an estimate and of a dump, one behind the other', () => {
    expect(parseDles(estimateText + backupText)).toEqual([estimate, backup]);
    expect(parseDles('')).toEqual([]);
    expect(parseDles('\n')).toEqual([]);
  });

  test('reads everything that a DLE may have, and keeps what is new', () => {
    expect(parseDles(fullText)).toEqual([full]);
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

  const inside = (text: string) => `<dle><program>GNUTAR</program><disk>a</disk>${text}</dle>`;

  test.each([
    'x',
    '<dle>',
    '</dle>',
    '<dle></dle>',
    '<dle><program>GNUTAR</program></dle>',
    '<dle><program>APPLICATION</program><disk>a</disk></dle>',
    '<dump></dump>',
    '<dle><disk>a</dle></disk>',
    '<!-- x -->',
    '<?xml version="1.0"?>',
    '<!DOCTYPE a>',
    inside('text'),
    inside('<disk>b</disk>'),
    inside('<level>x</level>'),
    inside('<level>-1</level>'),
    inside('<level>400</level>'),
    inside('<record>perhaps</record>'),
    inside('<compress>ZIP</compress>'),
    inside('<datapath>FTP</datapath>'),
    inside('<estimate>GUESS</estimate>'),
    inside('<exclude><files>x</files></exclude>'),
    inside('<auth><x/></auth>'),
    inside('<auth>&nbsp;</auth>'),
    inside('<auth>&#0;</auth>'),
    inside('<auth>&#xd800;</auth>'),
    inside('<auth>a & b</auth>'),
    inside('<auth colour="red">a</auth>'),
    inside('<auth raw="YQ==" raw="YQ==">a</auth>'),
    inside('<auth raw=YQ==>a</auth>'),
    inside('<auth raw="!">_</auth>'),
    inside('<auth raw="/w==">_</auth>'),
    inside('<auth raw="AA==">_</auth>'),
    inside('<backup-program></backup-program>'),
    inside('a < b'),
    inside(`${'<x>'.repeat(9)}${'</x>'.repeat(9)}`),
  ])('refuses %j', (text) => {
    expect(() => parseDles(text)).toThrow(expect.objectContaining({ code: 'BAD_DLE' }));
  });

  test.each([
    ['too many elements', '<x/>'.repeat(200_001)],
    ['too much text', ' '.repeat(4_194_305)],
    ['a tag of blanks', `<a${' '.repeat(1_000_000)}!>`],
    [
      'a text of blanks',
      inside(`<x>${' '.repeat(1_000_000)}x${' '.repeat(1_000_000)}x</x>`).slice(0, -1),
    ],
    ['angles', '<'.repeat(1_000_000)],
  ])('refuses %s in a moment', (_, text) => {
    expect(() => parseDles(text)).toThrow(expect.objectContaining({ code: 'BAD_DLE' }));
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
