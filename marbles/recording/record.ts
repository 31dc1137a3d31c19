import { NEVER, Observable, concat, filter, map, mergeMap, of } from 'rxjs';
import type { ConnectionOptions } from '../../src/connection/options.js';
import { exchange } from '../../src/exchange/exchange.js';
import { defaultTiming } from '../../src/exchange/timing.js';
import type { Change } from '../../src/diagram/model.js';
import { record, recordConnection, toDiagram } from '../../src/diagram/record.js';
import {
  connectionLane,
  handleLane,
  mark,
  page,
  pageConnection,
  type PageScope,
  textBytes,
  userLane,
} from '../../src/testing/index.js';
import type { Frame } from '../../src/wire/frame.js';
import { packets, REQUEST } from '../support/asking.js';
import { playing } from '../support/reading.js';

/** A step of the recording in a few words, without begins of lanes and ends of spans. */
function inWords(change: Change): string | undefined {
  if (change.kind === 'span') return change.span.label;
  if (change.kind !== 'event') return undefined;
  const { label, direction } = change.event;
  return direction === undefined ? label : `${direction}: ${label}`;
}

function worded(changes: Observable<Change>): Observable<string> {
  return changes.pipe(
    map(inWords),
    filter((words) => words !== undefined),
  );
}

/** A recorded connection with a noop, and the target that a page plays. */
function asking() {
  return {
    about: 'record',
    given: { target: handleLane(1, 'in') },
    expected: { recorded: userLane<string>() },
    wire: ({ target }: { readonly target: Observable<Uint8Array> }, scope: PageScope) => {
      const { connection, peer } = pageConnection(scope, { side: 'initiator', user: undefined });
      scope.ends.add(peer.send(1, target));
      const asked = (changes: (change: Change) => void) =>
        concat(of(connection), NEVER).pipe(
          record(changes, { joins: false }),
          mergeMap((recorded) => exchange(recorded, textBytes(REQUEST), defaultTiming)),
        );
      const changes = new Observable<Change>((out) =>
        asked((change) => out.next(change)).subscribe({
          error: (error: unknown) => out.error(error),
        }),
      );
      return { recorded: worded(changes) };
    },
  };
}

/** A recorded connection on which a page sends frames that stay unread. */
function watching(options: ConnectionOptions = {}) {
  return {
    about: 'recordConnection',
    given: { wire: connectionLane<Frame>({ direction: 'in' }) },
    expected: { recorded: userLane<string>() },
    wire: ({ wire }: { readonly wire: Observable<Frame> }, scope: PageScope) => ({
      recorded: worded(recordConnection(playing(wire, scope, options), { joins: false })),
    }),
  };
}

/** The diagram of a connection that is recorded until it ends. */
const drawing = {
  about: 'toDiagram',
  given: { wire: connectionLane<Frame>({ direction: 'in' }) },
  expected: { diagrams: userLane<string>() },
  wire: ({ wire }: { readonly wire: Observable<Frame> }, scope: PageScope) => ({
    diagrams: recordConnection(playing(wire, scope)).pipe(
      toDiagram(),
      map(({ lanes, length }) => `${lanes.length} lanes, ${length} ms`),
    ),
  }),
};

/** What happens on a connection, emitted as it happens. */
export const pages = [
  page({
    ...asking(),
    title: 'Packets, and what each side waits for',
    sentence: 'Each packet is emitted when it comes or goes, with what is waited for from then on.',
    picture: `
      target    -----A----R
      recorded  (Qk)-(bw)-(rkaC)
    `,
    legend: {
      A: packets.A,
      R: packets.R,
      Q: mark.value('out: REQ noop'),
      k: mark.value('waiting for ACK'),
      b: mark.value('in: ACK'),
      w: mark.value('waiting for REP'),
      r: mark.value('in: REP OPTIONS ;'),
      a: mark.value('out: ACK'),
      C: mark.value('out: close'),
    },
  }),

  page({
    ...watching(),
    title: 'A break is recorded',
    sentence:
      'A connection that breaks is part of the recording: the truncated lanes come first, then the reason, and the recording completes.',
    picture: `
      wire      --a--#
      recorded  --A--(ce|)
    `,
    legend: {
      a: mark.frame('499999:abc'),
      A: mark.value('3 bytes'),
      c: mark.value('the connection ended while the stream was open'),
      e: mark.value('CONNECTION_LOST on a marble page', 'CONNECTION_LOST'),
      '#': mark.failure('CONNECTION_LOST'),
    },
  }),

  page({
    ...watching({ receiveBudget: 2_500 }),
    title: 'A pause is recorded',
    sentence: 'The recording shows when the connection pauses reading, although nothing arrives.',
    picture: `
      wire         -aaa
      wire paused  ---^--
      recorded     -AA(Ap)
    `,
    legend: {
      a: mark.bulkFrame(499_999, 488),
      A: mark.value('488 bytes'),
      p: mark.value('paused'),
    },
  }),

  page({
    ...drawing,
    title: 'What was recorded becomes a diagram',
    sentence:
      'The diagram exists when the recording is complete, and can be drawn as a picture or as text.',
    picture: `
      wire      -a-b-c-|
      diagrams  -------(d|)
    `,
    legend: {
      a: mark.frame('499999:abc'),
      b: mark.frame('499998:a'),
      c: mark.frame('499999:'),
      d: mark.value('3 lanes, 7 ms'),
    },
  }),
];
