import { catchError, from, map, of, type Observable } from 'rxjs';
import type { Connection } from '../../src/connection/connection.js';
import { dump } from '../../src/initiator/dump.js';
import { retryAdvice } from '../../src/initiator/retry.js';
import { sendbackup } from '../../src/initiator/sendbackup.js';
import { handleLane, userLane, type PageScope } from '../../src/diagram/page/page.js';
import { mark, page, pageConnection } from '../../src/testing/index.js';
import { OPTIONS, calling } from '../support/calling.js';
import { beginning, said } from '../support/dumping.js';

const DLE =
  '<dle>\n  <program>GNUTAR</program>\n  <disk>/home</disk>\n  <level>0</level>\n</dle>\n';
const home = { program: 'GNUTAR', disk: '/home' } as const;
const packets = {
  ...said,
  Q: mark.packet('REQ', `SERVICE sendbackup\n${OPTIONS}${DLE}`),
  d: mark.value('level 0 of /home'),
};

const asking = calling(
  'sendbackup',
  () => sendbackup({ dle: home }),
  () => 'a dump',
);

const heeding = calling(
  'retryAdvice',
  () => (connections: Observable<Connection>) =>
    connections.pipe(
      sendbackup({ dle: home }),
      map(() => 'a dump'),
      catchError((error: unknown) =>
        of(
          `again in ${retryAdvice(error)?.delay ?? 0} s, for level ${retryAdvice(error)?.level ?? 0}`,
        ),
      ),
    ),
  (words) => words,
);

/** noop and sendbackup, each on its own handle. */
const askingTwice = {
  about: 'dump',
  given: { answers1: handleLane(1, 'in'), answers2: handleLane(2, 'in') },
  expected: { asks1: handleLane(1, 'out'), asks2: handleLane(2, 'out'), dumps: userLane<string>() },
  wire: (
    {
      answers1,
      answers2,
    }: { readonly answers1: Observable<Uint8Array>; readonly answers2: Observable<Uint8Array> },
    scope: PageScope,
  ) => {
    const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
    scope.ends.add(peer.send(1, answers1));
    scope.ends.add(peer.send(2, answers2));
    const dumps = from([connection]).pipe(
      dump({ dle: home }),
      map(({ level, dle }) => `level ${level} of ${dle.disk}`),
    );
    return { asks1: peer.received(1), asks2: peer.received(2), dumps };
  },
};

/** How a dump is requested. */
export const pages = [
  page({
    ...beginning(),
    title: 'A dump begins',
    sentence: 'The dump has unread streams; the request lasts as long as they do.',
    picture: `
      target     -AR
      mesg       ----m-----nC
      data       ------x-C
      initiator  Q-(AC)
      dumps      --d--------|
      messages   ----i-----e|
    `,
    legend: {
      ...packets,
      m: mark.chunk('sendbackup: info end\n'),
      n: mark.chunk('sendbackup: end\n'),
      i: mark.value('infoEnd', 'all info has come'),
      e: mark.value('end', 'sendbackup has finished'),
    },
  }),

  page({
    ...askingTwice,
    title: 'First what it can do, then the dump',
    sentence:
      'The target is asked for its features, and then for the dump with the options that it supports, on one connection.',
    picture: `
      asks1     Q--(AC)
      answers1  -A-R
      asks2     ---S--(AC)
      answers2  ----A-T
      dumps     ------d
    `,
    legend: {
      ...packets,
      Q: mark.packet('REQ', `SERVICE noop\n${OPTIONS}`),
      R: mark.packet('REP', OPTIONS),
      S: packets.Q,
      T: said.R,
    },
  }),

  page({
    ...askingTwice,
    title: 'A target that is too old',
    sentence: 'A target that cannot read the request is not asked for a dump.',
    picture: `
      asks1     Q--(AC)
      answers1  -A-R
      asks2     -
      answers2  -
      dumps     ---#
    `,
    legend: {
      ...packets,
      Q: mark.packet('REQ', `SERVICE noop\n${OPTIONS}`),
      R: mark.packet('REP', 'OPTIONS features=ff;\n'),
      '#': mark.failure('SERVICE_FAILED'),
    },
  }),

  page({
    ...asking,
    title: 'A target that gives a reason',
    sentence: "An ERROR in place of the streams is an error with the target's text.",
    picture: `
      target     --A-R
      initiator  Q---(AC)
      results    ----#
    `,
    legend: {
      ...packets,
      R: mark.packet('REP', 'ERROR /home: no such disk\n'),
      '#': mark.failure('SERVICE_FAILED'),
    },
  }),

  page({
    ...asking,
    title: 'A reply without the streams of a dump',
    sentence: 'Without DATA and MESG it is no dump.',
    picture: `
      target     --A-R
      initiator  Q---(AC)
      results    ----#
    `,
    legend: { ...packets, R: mark.packet('REP', 'OPTIONS ;\n'), '#': mark.failure('BAD_REPLY') },
  }),

  page({
    ...heeding,
    title: 'A target that wants to be asked again',
    sentence: "The error has the target's advice: when to ask again, and for which level.",
    picture: `
      target     --A-R
      initiator  Q---(AC)
      results    ----(a|)
    `,
    legend: {
      ...packets,
      R: mark.packet('REP', 'RETRY delay 60 level 1 message "the snapshot is not ready"\n'),
      a: mark.value('again in 60 s, for level 1'),
    },
  }),
];
