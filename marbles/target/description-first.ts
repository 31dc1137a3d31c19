import { Observable, of } from 'rxjs';
import { paced } from '../../src/operators/paced.js';
import type { Pullable } from '../../src/operators/pull.js';
import { holdOutput } from '../../src/target/process/hold-output.js';
import {
  mark,
  page,
  pageConnection,
  type PageScope,
  streamLane,
  userLane,
} from '../../src/testing/index.js';

interface Given {
  readonly says: Observable<Uint8Array>;
  readonly writes: Observable<Uint8Array>;
}

/** The output of a dump program, and what is sent on MESG and DATA. */
const dumping = {
  about: 'amandaServices, sendbackupService, backupServices',
  given: { says: userLane<Uint8Array>(), writes: userLane<Uint8Array>() },
  expected: { mesg: streamLane(499_998, 'out'), data: streamLane(499_999, 'out') },
  wire: ({ says, writes }: Given, scope: PageScope) => {
    // Streams instead of the program's pipes: they keep unread bytes.
    const { connection, peer } = pageConnection(scope, { side: 'target', namesUser: false });
    scope.ends.add(peer.send(1, says));
    scope.ends.add(peer.send(2, writes));
    const { messages, data } = holdOutput(connection.stream(1), connection.stream(2));
    return { mesg: sent(messages), data: sent(data) };
  },
};

function sent(output: Pullable<Uint8Array>): Observable<Uint8Array> {
  return paced((bytes: Uint8Array) => of(bytes))(
    Object.assign(new Observable<Uint8Array>(), output),
  );
}

const legend = {
  i: mark.chunk('sendbackup: info BACKUP=/bin/tar\n'),
  e: mark.chunk('sendbackup: info '),
  f: mark.chunk('end\n'),
  d: mark.chunk('tar'),
  n: mark.chunk('sendbackup: end\n'),
  C: mark.close(),
};

/** DATA waits for MESG. */
export const pages = [
  page({
    ...dumping,
    title: 'Data wait for their description',
    sentence:
      'The image waits until the last byte of its description has been sent, because a dumper that gets it first dies.',
    picture: `
      says    --i--e-f-----nC
      writes  -d--d------dC
      mesg    --i--e-f-----n|
      data    -------(dd)d|
    `,
    legend,
  }),

  page({
    ...dumping,
    title: 'Messages that end without a description',
    sentence:
      'The image is sent when the messages end without a description, or a failing dump would never end.',
    picture: `
      says    --i--C
      writes  -d--dC
      mesg    --i--|
      data    -----(dd|)
    `,
    legend,
  }),
];
