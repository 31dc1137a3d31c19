import { EMPTY, defer, map, type Observable } from 'rxjs';
import type { PageScope } from '../../src/diagram/page/page.js';
import { connect } from '../../src/initiator/connect.js';
import { mark, page, pageConnection, userLane } from '../../src/testing/index.js';

const CONNECTION = 'a Connection';

interface Given {
  readonly first: Observable<string>;
  readonly second: Observable<string>;
  readonly third: Observable<string>;
}

/** A driver whose first three attempts end as a page says. */
const connecting = {
  about: 'connect',
  given: {
    first: userLane<string>(),
    second: userLane<string>(),
    third: userLane<string>(),
  },
  expected: { connections: userLane<string>() },
  wire: ({ first, second, third }: Given, scope: PageScope) => {
    const { connection } = pageConnection(scope, { side: 'initiator', user: undefined });
    const attempts = [first, second, third];
    const open = () => defer(() => attempts.shift() ?? EMPTY).pipe(map(() => connection));
    const connections = connect({ name: 'bsdtcp', user: undefined, open });
    return {
      connections: connections.pipe(
        map((made) => (made === connection ? CONNECTION : 'another one')),
      ),
    };
  },
};

const legend = { C: mark.value(CONNECTION) };

/** How a connection comes about. The lanes of the attempts begin when each is made. */
export const pages = [
  page({
    ...connecting,
    title: 'Connecting',
    sentence: 'The connection lives until it ends or is unsubscribed.',
    picture: `
      first          ---C 1m -
      first ^        ^--- 1m !
      second         -
      second ^       -
      third          -
      connections    ---C
      connections ^  ^--- 1m !
    `,
    legend,
  }),

  page({
    ...connecting,
    title: 'A host that does not answer',
    sentence: 'An attempt takes 20 s at the most, and three are made, 5 s apart.',
    picture: `
      first        -
      first ^      ^ 19s 999ms !
      second       -
      second ^     25s ^ 19s 999ms !
      third        -
      third ^      50s ^ 19s 999ms !
      connections  70s #
    `,
    legend: { ...legend, '#': mark.failure('CONNECT_TIMEOUT') },
  }),

  page({
    ...connecting,
    title: 'A host that refuses at first',
    sentence: 'The second attempt is made 5 s after the first has failed.',
    picture: `
      first        --#
      first ^      ^-!
      second       ---C
      second ^     5s --^
      third        -
      third ^      -
      connections  5s -----C
    `,
    legend: { ...legend, '#': mark.failure('CONNECT_FAILED') },
  }),

  page({
    ...connecting,
    title: 'A host that refuses',
    sentence: 'The third failure is the result.',
    picture: `
      first        -#
      first ^      ^!
      second       -#
      second ^     5s -^!
      third        -#
      third ^      10s --^!
      connections  10s ---#
    `,
    legend: { ...legend, '#': mark.failure('CONNECT_FAILED') },
  }),

  page({
    ...connecting,
    title: 'What does not pass by itself',
    sentence:
      'Without a reserved port there is nothing to wait for: the first failure is the result.',
    picture: `
      first        -#
      first ^      ^!
      second       -
      second ^     -
      third        -
      connections  -#
    `,
    legend: { ...legend, '#': mark.failure('NO_RESERVED_PORT') },
  }),

  page({
    ...connecting,
    title: 'A connection that breaks',
    sentence: 'A connection that was made is not made again, because its requests would be lost.',
    picture: `
      first        --C--#
      first ^      ^----!
      second       -
      second ^     -
      third        -
      connections  --C--#
    `,
    legend: { ...legend, '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...connecting,
    title: 'Giving up between two attempts',
    sentence: 'Unsubscribing stops the wait: no further attempt is made.',
    picture: `
      first          -#
      first ^        ^!
      second         -
      second ^       - 10s
      third          -
      connections    -
      connections ^  ^ 2s !
    `,
    legend: { ...legend, '#': mark.failure('CONNECT_FAILED') },
  }),
];
