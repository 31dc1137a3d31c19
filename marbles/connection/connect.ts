import { EMPTY, defer, type Observable } from 'rxjs';
import type { Connection } from '../../src/connection/connection.js';
import { connect } from '../../src/initiator/connect.js';
import { failure, page, userLane, value } from '../../src/testing/index.js';

interface Given {
  readonly first: Observable<Connection>;
  readonly second: Observable<Connection>;
  readonly third: Observable<Connection>;
}

/** A driver whose first three attempts end as a page says. */
const connecting = {
  about: 'connect',
  given: {
    first: userLane<Connection>(),
    second: userLane<Connection>(),
    third: userLane<Connection>(),
  },
  expected: { connections: userLane<Connection>() },
  wire: ({ first, second, third }: Given) => {
    const attempts = [first, second, third];
    const open = () => defer(() => attempts.shift() ?? EMPTY);
    return { connections: connect({ name: 'bsdtcp', user: undefined, open }) };
  },
};

const legend = { C: value('a Connection') };

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
    legend: { ...legend, '#': failure('CONNECT_TIMEOUT') },
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
    legend: { ...legend, '#': failure('CONNECT_FAILED') },
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
    legend: { ...legend, '#': failure('CONNECT_FAILED') },
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
    legend: { ...legend, '#': failure('NO_RESERVED_PORT') },
  }),

  page({
    ...connecting,
    title: 'A connection that breaks',
    sentence: 'Once it came about it is not made again: what was asked on it would be lost.',
    picture: `
      first        --C--#
      first ^      ^----!
      second       -
      second ^     -
      third        -
      connections  --C--#
    `,
    legend: { ...legend, '#': failure('CONNECTION_LOST') },
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
    legend: { ...legend, '#': failure('CONNECT_FAILED') },
  }),
];
