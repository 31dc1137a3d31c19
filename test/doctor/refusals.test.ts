import { describe, expect, it, test } from 'vitest';
import { explainRefusal } from '../../src/doctor/refusals.js';

/** Words of a refusal, the kind of finding, and what the advice says. */
const cases: readonly (readonly [words: string, kind: string, says: RegExp])[] = [
  ['host one.lab: port 34954 not secure', 'port-not-secure', /NAT/],
  ['[host one.lab: port 34954 not secure]', 'port-not-secure', /NAT/],
  [
    'user root from one.lab is not allowed to execute the service noop: Please add the line "one.lab root amdump" to /var/backups/.amandahosts on the client',
    'amandahosts-line',
    /^Add this line to \/var\/backups\/\.amandahosts on two\.lab: one\.lab root amdump$/,
  ],
  [
    'user root from one.lab is not allowed to execute the service noop: /h/.amandahosts: incorrect permissions; file must be accessible only by its owner (chmod 600 /h/.amandahosts)',
    'amandahosts-file',
    /^On two\.lab: chmod 600 \/h\/\.amandahosts$/,
  ],
  [
    'user root from one.lab is not allowed to execute the service noop: /h/.amandahosts: owned by id 0, should be 34',
    'amandahosts-file',
    /chown 34 \/h/,
  ],
  [
    'user root from one.lab is not allowed to execute the service noop: cannot open /h/.amandahosts: No such file or directory',
    'amandahosts-file',
    /make \/h\/\.amandahosts/,
  ],
  [
    'user root from one.lab is not allowed to execute the service noop: cannot open /h/.amandahosts: Permission denied',
    'amandahosts-file',
    /read \/h\/\.amandahosts/,
  ],
  [
    'user root from one.lab is not allowed to execute the service x: /h/.amandahosts: invalid service x',
    'amandahosts-line',
    /the service x to the line/,
  ],
  [
    "amindexd: invalid service, add 'amindexd' as argument to amandad",
    'service-not-enabled',
    /add amindexd to amandad's arguments/,
  ],
  ["invalid 'bogus' service as argument to amandad", 'service-not-enabled', /remove bogus/],
  [
    "heck_name_give_sockaddr: resolve_hostname('one.lab'): Name or service not known",
    'reverse-dns',
    /one\.lab/,
  ],
  [
    "check_name_give_sockaddr: resolve_hostname('one.lab') did not return a canonical name",
    'reverse-dns',
    /one\.lab/,
  ],
  [
    'etnameinfo failed: Temporary failure in name resolution',
    'reverse-dns',
    /look-up on two\.lab failed/,
  ],
  [
    'getnameinfo failed: Temporary failure in name resolution',
    'reverse-dns',
    /look-up on two\.lab failed/,
  ],
  [
    "one.lab doesn't resolve to itself, it resolves to two.lab",
    'reverse-dns',
    /record name two\.lab\. .* without its first letter/,
  ],
  ["one.lab doesn't resolve to 10.0.0.1:700", 'reverse-dns', /without its first letter/],
  ['the name of 10.0.0.1 could not be checked within 30000 ms', 'reverse-dns', /took too long/],
  [
    '[access as backup not allowed from root@one.lab] amandahostsauth failed',
    'amandahosts-line',
    /2\.4 era/,
  ],
  ['[ip address 10.0.0.1 is not in the ip list for one.lab]', 'reverse-dns', /one\.lab/],
  ['no bsd SECURITY for P_REQ', 'other-auth', /another auth/],
  ['invalid REQ', 'other-auth', /another auth/],
];

describe('explainRefusal', () => {
  it.each(cases)('explains %s', (words, kind, says) => {
    const advice = explainRefusal(words, 'two.lab');
    expect(advice?.kind).toBe(kind);
    expect(advice?.fix).toMatch(says);
  });

  it('knows nothing of other words', () => {
    expect(explainRefusal('go away', 'two.lab')).toBeUndefined();
  });
});

test('text that is longer than a sentence is not examined', () => {
  const start = performance.now();
  expect(explainRefusal('x'.repeat(4 << 20), 'db1')).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(50);
});
