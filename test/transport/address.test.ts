import { expect, test } from 'vitest';
import { unknownHost } from '../../src/transport/address.js';

test.each([
  ['ENOTFOUND', 'The host db1 is not known: neither DNS nor /etc/hosts has it; is the name right?'],
  [
    'EAI_AGAIN',
    'The host db1 is not known: the name server does not answer; try again, or check /etc/resolv.conf.',
  ],
  ['EOTHER', 'The host db1 is not known: out of order.'],
])('a lookup that fails with %s says what to do', (code, message) => {
  const cause = Object.assign(new Error('out of order'), { code });
  expect(unknownHost('db1', cause)).toMatchObject({
    code: 'CONNECT_FAILED',
    message,
    cause,
    peer: 'db1',
  });
});
