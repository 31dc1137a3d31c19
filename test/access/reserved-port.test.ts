import { openSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { readRegularFile } from '../../src/access/regular-file.js';
import {
  checkSourcePort,
  servicePorts,
  servicePortsOfSystem,
  sourcePorts,
} from '../../src/access/reserved-port.js';

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return { ...real, openSync: vi.fn(real.openSync) };
});

test('a source port below 1024 is allowed', () => {
  expect([1, 512, 1023].map((port) => checkSourcePort('db1', port).kind)).toEqual([
    'allowed',
    'allowed',
    'allowed',
  ]);
});

test('a source port from 1024 on, and one that is not known, is refused with the host and the port', () => {
  expect(checkSourcePort('localhost', 34954)).toMatchObject({
    kind: 'refused',
    reason: 'host localhost: port 34954 not secure',
  });
  expect(checkSourcePort('db1', 1024)).toMatchObject({ reason: 'host db1: port 1024 not secure' });
  expect(checkSourcePort('db1', undefined)).toMatchObject({
    reason: 'host db1: port unknown not secure',
  });
});

test('candidates go once around the range from a random start', () => {
  expect([...sourcePorts({ first: 600, last: 603, random: () => 0.5 })]).toEqual([
    602, 603, 600, 601,
  ]);
  expect([...sourcePorts({ first: 600, last: 600, random: () => 0.999 })]).toEqual([600]);
  expect([...sourcePorts({ first: 1, last: 2, random: () => 0.999 })]).toEqual([2, 1]);
  expect([...sourcePorts({ first: 65_535, last: 65_535 })]).toEqual([65_535]);
});

test('candidates are 512 to 1023 unless said otherwise', () => {
  const ports = [...sourcePorts()].sort((one, other) => one - other);
  expect(ports.length).toBe(512);
  expect([ports[0], ports.at(-1)]).toEqual([512, 1023]);
});

test('ports of other services are passed over', () => {
  expect([
    ...sourcePorts({ first: 512, last: 515, taken: new Set([512, 514]), random: () => 0 }),
  ]).toEqual([513, 515]);
});

test('a range that is none is an error at once', () => {
  for (const range of [
    { first: 0 },
    { first: 700, last: 600 },
    { last: 65_536 },
    { first: 512.5 },
    { last: 600.5 },
    { first: Number.NaN },
  ]) {
    expect(() => sourcePorts(range)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  }
});

test('the services file gives the ports of a protocol that are not Amanda’s, by the first line of each', () => {
  const text =
    '# x\nexec\t\t512/tcp\nbiff 512/udp comsat\n  shell 514/tcp cmd # no passwords\namanda 1000/tcp\nkamanda 1001/tcp\nother 1000/tcp\nbad line\n#no 515/tcp\nhigh 999999/tcp\ntwo words 516/tcp\ndigits 5x7/tcp\n';
  expect(servicePorts(text, 'tcp')).toEqual(new Set([512, 514]));
  expect(servicePorts(text, 'udp')).toEqual(new Set([512]));
});

test.each(['tcp', 'udp'] as const)(
  'the %s ports of the system are those of /etc/services',
  (of) => {
    const text = readRegularFile('/etc/services', 1_000_000).bytes.toString();
    expect(servicePortsOfSystem(of)).toEqual(servicePorts(text, of));
    expect(servicePortsOfSystem(of).size).toBeGreaterThan(0);
  },
);

test('a system whose /etc/services is not readable has no ports of services', () => {
  vi.mocked(openSync).mockImplementationOnce(() => {
    throw new Error('no such file');
  });
  expect(servicePortsOfSystem('tcp')).toEqual(new Set());
});
