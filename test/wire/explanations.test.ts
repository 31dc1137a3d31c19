import { expect, test } from 'vitest';
import { explain } from '../../src/wire/explanations.js';

test.each([
  // A failed look-up: ours, and that of 3.5.1 without its first letter.
  [
    "check_name_give_sockaddr: resolve_hostname('srv.lan'): Name or service not known",
    'names',
    ['look-up on db1 failed', 'srv.lan', '"ADDRESS srv.lan"', '/etc/hosts on db1'],
  ],
  [
    "heck_name_give_sockaddr: resolve_hostname('srv.lan'): Name or service not known",
    'names',
    ['look-up on db1 failed', '"ADDRESS srv.lan"', '/etc/hosts on db1'],
  ],
  [
    "esolve_hostname('srv.lan'): Temporary failure in name resolution",
    'names',
    ['Temporary failure', '"ADDRESS srv.lan"', '/etc/hosts on db1'],
  ],
  [
    "resolve_hostname('srv.lan') did not return a canonical name",
    'names',
    ['"ADDRESS srv.lan"', '/etc/hosts on db1'],
  ],
  [
    'getnameinfo failed: Name or service not known',
    'names',
    ['look-up on db1 failed', 'Name or service not known', '/etc/hosts on db1'],
  ],
  ['etnameinfo failed: Temporary failure in name resolution', 'names', ['PTR record', 'db1']],
  [
    "srv doesn't resolve to itself, it resolves to srv.lan",
    'names',
    ['db1 looked up', 'put srv first', '/etc/hosts'],
  ],
  ["srv doesn't resolve to 10.0.0.1:900", 'names', ['"10.0.0.1 srv"', 'On db1', '/etc/hosts']],
  ["srv doesn't resolve to 10.0.0.1", 'names', ['"10.0.0.1 srv"']],
  ["srv doesn't resolve to fe80::1:900", 'names', ['srv', 'On db1']],
  [
    'the name of 10.0.0.1 could not be checked within 30000 ms',
    'names',
    ['"10.0.0.1 NAME"', 'took too long', 'db1'],
  ],
  // The 2.4 era.
  ['[ip address 10.0.0.1 is not in the ip list for srv]', 'names', ['"10.0.0.1 srv"', 'On db1']],
  ['[addr 10.0.0.1: hostname lookup failed]', 'names', ['10.0.0.1', '/etc/hosts on db1']],
  ['[host srv: port 40000 not secure]', 'sourcePort', ['below 1024', '40000']],
  [
    '[access as amanda not allowed from root@srv.lan] amandahostsauth failed',
    'amandahostsLine',
    ['2.4 era', '"srv.lan root"', 'home directory of amanda on db1'],
  ],
  [
    '[access as amanda not allowed from root@srv.lan] open of /home/amanda/.amandahosts failed',
    'amandahostsLine',
    ['cannot read its file', '"srv.lan root"'],
  ],
  ['unknown service: noop', 'beforeFeatures', ['before features', 'one line of text', 'db1']],
  ['noop: invalid service', 'beforeFeatures', ['before features']],
  ['FORMAT ERROR IN REQUEST PACKET', 'beforeFeatures', ['one line of text']],
  ['unknown service: sendbackup', 'service', ['too old', 'sendbackup']],
  // Later ones.
  ['host localhost: port 34954 not secure', 'sourcePort', ['below 1024', 'NAT']],
  ['no bsd SECURITY for P_REQ', 'otherAuth', ['another auth']],
  ['invalid REQ', 'otherAuth', ['another auth']],
  [
    "[client configured for auth=bsd while server requested 'bsdudp']",
    'otherAuth',
    ['-auth=bsd,', '--auth bsd ', '-auth=bsdudp there'],
  ],
  [
    'user u from h is not allowed to execute the service noop: /h/.amandahosts: incorrect permissions; file must be accessible only by its owner (chmod 600 /h/.amandahosts)',
    'amandahostsFile',
    ['on db1', 'only its owner'],
  ],
] as const)('"%s" is explained', (words, kind, parts) => {
  const found = explain(words, 'db1');
  expect(found?.kind).toBe(kind);
  for (const part of parts) expect(found?.advice).toContain(part);
});

test.each([
  [
    'user u from h is not allowed to execute the service noop: Please add the line "h u amdump" to /h/.amandahosts on the client',
    'amandahostsLine',
  ],
  ["amindexd: invalid service, add 'amindexd' as argument to amandad", 'service'],
])('"%s" says itself what to do', (words, kind) => {
  expect(explain(words)).toEqual({ kind });
});

test('other words have no explanation', () => {
  expect(explain('come again tomorrow')).toBeUndefined();
});

test.each([
  'x'.repeat(4 << 20),
  '[access as '.repeat(1 << 18),
  'ip address a is not in the ip list for '.repeat(1 << 16),
])('explains no text that is longer than a sentence, and looks at none (%#)', (text) => {
  const start = performance.now();
  expect(explain(text)).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(50);
});
