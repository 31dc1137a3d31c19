import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBackupMessage } from '../../src/initiator/backup-message.js';

test.each([
  [
    'sendbackup: start [localhost:gnutar level 0]',
    { kind: 'start', text: 'localhost:gnutar level 0' },
  ],
  [
    'sendbackup: info RECOVER_CMD=/bin/tar -f=x -',
    { kind: 'info', name: 'RECOVER_CMD', value: '/bin/tar -f=x -' },
  ],
  ['sendbackup: info end', { kind: 'infoEnd' }],
  ['| Total bytes written: 10240', { kind: 'normal', text: 'Total bytes written: 10240' }],
  ['? tar: x', { kind: 'strange', text: 'tar: x' }],
  ['??hello', { kind: 'strange', text: '?hello' }],
  ['hello', { kind: 'strange', text: 'hello' }],
  ['', { kind: 'strange', text: '' }],
  ['sendbackup: warning [odd]', { kind: 'strange', text: 'odd' }],
  [
    'sendbackup: native-CRC 0cda24b5:10240',
    { kind: 'checksum', of: 'native', checksum: { crc: 0x0cda24b5, bytes: 10240 } },
  ],
  [
    'sendbackup: client-CRC ffffffff:1',
    { kind: 'checksum', of: 'client', checksum: { crc: 0xffffffff, bytes: 1 } },
  ],
  ['sendbackup: client-CRC what', { kind: 'strange', text: 'sendbackup: client-CRC what' }],
  ['sendbackup: size 10', { kind: 'size', kilobytes: 10 }],
  ['sendbackup: size -1', { kind: 'size', kilobytes: undefined }],
  ['sendbackup: size ten', { kind: 'strange', text: 'sendbackup: size ten' }],
  ['sendbackup: state 0 /', { kind: 'state', text: '0 /' }],
  ['sendbackup: error [a [b] c]', { kind: 'error', text: 'a [b] c' }],
  [
    'sendbackup: retry',
    { kind: 'retry', advice: { delay: undefined, level: undefined, message: undefined } },
  ],
  [
    'sendbackup: retry delay 5 message "a \\"b\\""',
    { kind: 'retry', advice: { delay: 5, level: undefined, message: 'a "b"' } },
  ],
  ['sendbackup: no-op', { kind: 'noop' }],
  ['sendbackup: end', { kind: 'end' }],
  ['sendbackup: end of it', { kind: 'strange', text: 'sendbackup: end of it' }],
  ['sendbackup: dance', { kind: 'strange', text: 'sendbackup: dance' }],
])('%j is read', (line, message) => {
  expect(parseBackupMessage(line)).toEqual(message);
});

test('any line is read as something', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.boolean(),
      (line, isControl) =>
        typeof parseBackupMessage(`${isControl ? 'sendbackup: ' : ''}${line}`).kind === 'string',
    ),
  );
});
