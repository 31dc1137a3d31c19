import { expect, test } from 'vitest';
import { adviceFor } from '../../src/cli/terminal/advice.js';
import { AmandaError } from '../../src/wire/errors.js';

test.each([
  ['host localhost: port 34954 not secure', /below 1024/],
  ["db1 doesn't resolve to itself, it resolves to db2", /DNS or \/etc\/hosts/],
  ["db1 doesn't resolve to 10.0.0.1", /DNS or \/etc\/hosts/],
  ['no bsd SECURITY for P_REQ', /another auth/],
  ['invalid REQ', /another auth/],
  [
    'user u from h is not allowed to execute the service noop: /h/.amandahosts: incorrect permissions; file must be accessible only by its owner (chmod 600 /h/.amandahosts)',
    /on the target/,
  ],
])('a target that says "%s" gets an explanation', (words, advice) => {
  expect(adviceFor(new AmandaError('REFUSED', words))).toMatch(advice);
});

test.each([
  new AmandaError(
    'REFUSED',
    'user u from h is not allowed to execute the service noop: Please add the line "h u amdump" to /h/.amandahosts on the client',
  ),
  new AmandaError('SERVICE_FAILED', 'port 1 not secure'),
  new Error('port 1 not secure'),
])('what says itself what to do, or is no refusal, gets none: %s', (error) => {
  expect(adviceFor(error)).toBeUndefined();
});
