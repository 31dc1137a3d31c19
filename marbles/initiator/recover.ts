import { map } from 'rxjs';
import { findEntries } from '../../src/initiator/recover/find-entries.js';
import { mark, page } from '../../src/testing/index.js';
import { indexSays, looking, restoring, tapeSays } from '../support/recovering.js';

const place = { host: 'db1', disk: '/home' };
const line = (text: string, label: string) => ({ ...mark.chunk(text), label });

const chosen = {
  h: line('200 Dump host set to db1.\r\n', '200 host set'),
  d: line('200 Disk set to /home.\r\n', '200 disk set'),
  H: line('HOST db1\r\n', 'HOST db1'),
  D: line('DISK /home\r\n', 'DISK /home'),
};

/** Looking a dump up, and reading it back. */
export const pages = [
  page({
    ...looking((session) => session.hosts()),
    title: 'The hosts of a configuration',
    sentence: 'The session chooses the configuration, asks, and says QUIT after the work.',
    picture: `
      target   -AR
      mesg     ---g-f-s-l-q-C
      asks     ---F-S-L-Q-C
      results  ---------n-|
    `,
    legend: {
      ...indexSays,
      L: line('LISTHOST\r\n', 'LISTHOST'),
      l: line('200- List\r\n201- db1\r\n200 List\r\n', '201 db1, 200'),
      n: mark.value('db1'),
    },
  }),

  page({
    ...looking((session) => session.hosts()),
    title: 'A configuration that the server refuses',
    sentence: 'A refusal is an error with the server’s words.',
    picture: `
      target   -AR
      mesg     ---g-f-x
      asks     ---F-S-
      results  -------#
    `,
    legend: {
      ...indexSays,
      x: line('501 Could not read config file for daily!\r\n', '501 Could not read config'),
      '#': mark.failure('SERVICE_FAILED'),
    },
  }),

  page({
    ...looking((session) => session.hosts()),
    title: 'An index server that ends early',
    sentence: 'An end inside the conversation is an error.',
    picture: `
      target   -AR
      mesg     ---g-f-C
      asks     ---F-S-C
      results  -------#
    `,
    legend: { ...indexSays, '#': mark.failure('INCOMPLETE_DUMP') },
  }),

  page({
    ...looking((session) =>
      findEntries(session, place, (path) => path.endsWith('.txt')).pipe(map(({ path }) => path)),
    ),
    about: 'findEntries',
    title: 'A file in all dumps of a disk',
    sentence: 'Each dump is asked for, because a server hides the older versions of a path.',
    picture: `
      target   -AR
      mesg     ---g-f-s-h-d-l-t-e-q-C
      asks     ---F-S-H-D-L-T-O-Q-C
      results  -----------------n-|
    `,
    legend: {
      ...indexSays,
      ...chosen,
      L: line('DHST\r\n', 'DHST'),
      l: line(
        '200- History\r\n201- 2026-11-03-01-00-00 0 main:lab-1:1\r\n200 History\r\n',
        '201 the dumps, 200',
      ),
      T: line('DATE 2026-11-03-01-00-00\r\n', 'DATE'),
      t: line('200 Working date set.\r\n', '200 date set'),
      O: line('ORLD /\r\n', 'ORLD /'),
      e: line(
        '200- List\r\n201- 2026-11-03-01-00-00 0 "main:lab-1:1" 1 /\r\n201- 2026-11-03-01-00-00 0 "main:lab-1:1" 1 /a.txt\r\n200  List\r\n',
        '201 the entries, 200',
      ),
      n: mark.value('/a.txt'),
    },
  }),

  page({
    ...restoring(),
    title: 'An image comes back',
    sentence:
      'The sinks are opened when the header has come. Done means that the checksum of the header is that of the bytes.',
    picture: `
      target  -AR
      ctl     ---f-h---d---C
      data    ------H----x-C
      saved   -----------x
      events  ------z------(D|)
    `,
    legend: tapeSays,
  }),

  page({
    ...restoring(),
    title: 'A damaged image',
    sentence: 'Other bytes than the header counts are an error, never a done.',
    picture: `
      target  -AR
      ctl     ---f-h---d---C
      data    ------H----y-C
      saved   -----------y
      events  ------z------#
    `,
    legend: { ...tapeSays, '#': mark.failure('CHECKSUM_MISMATCH') },
  }),

  page({
    ...restoring(),
    title: 'A dump that the server does not find',
    sentence: 'The server closes its streams; its last words are in the error.',
    picture: `
      target  -AR
      ctl     ---f-m-C
      data    -------C
      saved   -
      events  -----n-#
    `,
    legend: { ...tapeSays, n: mark.value('message'), '#': mark.failure('SERVICE_FAILED') },
  }),

  page({
    ...restoring(),
    title: 'A missing volume',
    sentence: 'Without onVolume a volume that the server asks for is an error.',
    picture: `
      target  -AR
      ctl     ---f-w
      data    -
      saved   -
      events  -----#
    `,
    legend: { ...tapeSays, '#': mark.failure('INCOMPLETE_DUMP') },
  }),
];
