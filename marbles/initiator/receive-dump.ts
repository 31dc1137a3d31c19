import { mark, page } from '../../src/testing/index.js';
import { FULL, receiving, said } from '../support/dumping.js';

/** The results of a dump. */
export const pages = [
  page({
    ...receiving(),
    title: 'A whole dump',
    sentence:
      'The sink is opened when the description is complete. Done means: the target sent end, closed every stream, and size and checksum are right.',
    picture: `
      target  -AR
      mesg    ----i-----e--C
      data    ------y-z--C
      saved   ------y-z
      events  ----s--------(D|)
    `,
    legend: said,
  }),

  page({
    ...receiving(),
    title: 'A strange dump',
    sentence: 'Lines that an administrator should read make the dump strange; it is still whole.',
    picture: `
      target  -AR
      mesg    ----i---q-e--C
      data    ------x-C
      saved   ------x
      events  ----s--------(S|)
    `,
    legend: { ...said, q: mark.chunk('? a socket was ignored\n'), S: mark.value('done: strange') },
  }),

  page({
    ...receiving({ takes: 3 }),
    title: 'A slow sink',
    sentence:
      'The sink has one chunk at a time; waiting chunks stay in the stream, which slows the sender.',
    picture: `
      target  -AR
      mesg    ----i-----eC
      data    -----yzC
      saved   --------y--z
      events  ----s------(D|)
    `,
    legend: said,
  }),

  page({
    ...receiving({ tells: 'progress' }),
    title: 'Progress',
    sentence: 'It reports the received bytes every second.',
    picture: `
      target  -AR
      mesg    ----i-    2s eC
      data    ------    998ms y 999ms zC
      saved   ------    998ms y 999ms z
      events  ----s- 996ms 1 999ms 2 ----(D|)
    `,
    legend: { ...said, 1: mark.value('0 bytes'), 2: mark.value('1 bytes', '1 byte') },
  }),

  page({
    ...receiving(),
    title: 'A connection that breaks within a dump',
    sentence: 'A truncated dump is an error, never a dump.',
    picture: `
      target  -AR
      mesg    ----i
      data    ------y-#
      saved   ------y
      events  ----s---#
    `,
    legend: { ...said, '#': mark.failure('CONNECTION_LOST') },
  }),

  page({
    ...receiving(),
    title: 'A dump without its end',
    sentence:
      'All streams are closed, but sendbackup did not report its end, so the dump is not whole.',
    picture: `
      target  -AR
      mesg    ----i----C
      data    ------x-C
      saved   ------x
      events  ----s----#
    `,
    legend: { ...said, '#': mark.failure('INCOMPLETE_DUMP') },
  }),

  page({
    ...receiving(),
    title: 'A dump without data',
    sentence: 'Even an empty archive has bytes, so a dump without any is not whole.',
    picture: `
      target  -AR
      mesg    ----i-----mC
      data    ------C
      saved   -
      events  ----s------#
    `,
    legend: {
      ...said,
      m: { ...mark.chunk('sendbackup: size 1\nsendbackup: end\n'), label: 'size 1, end' },
      '#': mark.failure('INCOMPLETE_DUMP'),
    },
  }),

  page({
    ...receiving(),
    title: 'A dump without its size',
    sentence:
      'A dump program that does not report its size has not reached its end, so the dump is not whole.',
    picture: `
      target  -AR
      mesg    ----i-----mC
      data    ------x-C
      saved   ------x
      events  ----s------#
    `,
    legend: {
      ...said,
      m: { ...mark.chunk('sendbackup: end\n'), label: 'end' },
      '#': mark.failure('INCOMPLETE_DUMP'),
    },
  }),

  page({
    ...receiving({ index: true }),
    title: 'A dump without the index that was asked for',
    sentence: 'Without the index no file can be found in it, so the dump is not whole.',
    picture: `
      target  -AR
      mesg    ----i-----eC
      data    ------x-C
      saved   ------x
      events  ----s------#
    `,
    legend: { ...said, '#': mark.failure('INCOMPLETE_DUMP') },
  }),

  page({
    ...receiving(),
    title: 'A sink that fails',
    sentence: 'A full disk ends the dump with the error of the sink.',
    picture: `
      target  -AR
      mesg    ----i
      data    ------y-w-z
      saved   ------y
      events  ----s---#
    `,
    legend: { ...said, w: mark.chunk(FULL), '#': mark.failure('FILE_FAILED') },
  }),

  page({
    ...receiving(),
    title: 'Leaving a dump',
    sentence: 'Unsubscribing stops the sink and drops later bytes; the dump never counts as whole.',
    picture: `
      target    -AR
      mesg      ----i
      data      ------y-z-z
      saved     ------y
      events    ----s--
      events ^  ^------!
    `,
    legend: said,
  }),

  page({
    ...receiving(),
    title: 'Other bytes than were sent',
    sentence: "The target's checksum differs from that of the received bytes: the dump is damaged.",
    picture: `
      target  -AR
      mesg    ----i-----eC
      data    ------w-C
      saved   ------w
      events  ----s------#
    `,
    legend: { ...said, w: mark.chunk('abd'), '#': mark.failure('CHECKSUM_MISMATCH') },
  }),

  page({
    ...receiving(),
    title: 'A dump program that fails',
    sentence: 'An error that sendbackup reports ends the dump, whatever follows.',
    picture: `
      target  -AR
      mesg    ----i---f
      data    ------x
      saved   ------x
      events  ----s---#
    `,
    legend: {
      ...said,
      f: mark.chunk('sendbackup: error [/bin/tar got signal 9]\n'),
      '#': mark.failure('SERVICE_FAILED'),
    },
  }),

  page({
    ...receiving(),
    title: 'A dump to be asked for again',
    sentence:
      'The target wants to dump later; retryAdvice reads the delay and the level from the error.',
    picture: `
      target  -AR
      mesg    ----r
      data    -
      saved   -
      events  ----#
    `,
    legend: {
      ...said,
      r: mark.chunk('sendbackup: retry delay 60 level 1\n'),
      '#': mark.failure('RETRY_LATER'),
    },
  }),

  page({
    ...receiving({ receiveBudget: 4_096 }),
    title: 'Data before their description',
    sentence:
      'The data wait for the description. It cannot come once their bytes have paused the connection.',
    picture: `
      target       -AR
      mesg         -
      data         ----bbb
      data paused  ------^
      saved        -
      events       ------#
    `,
    legend: { ...said, b: mark.bulk(1_000), '#': mark.failure('BAD_REPLY') },
  }),

  page({
    ...receiving(),
    title: 'A target that falls silent',
    sentence:
      'After half an hour without a byte (dataTimeout; at most a tenth more) the dump fails.',
    picture: `
      target  -AR
      mesg    ----i
      data    ------x
      saved   ------x
      events  ----s-- 32m 59s 995ms #
    `,
    legend: { ...said, '#': mark.failure('DATA_TIMEOUT') },
  }),
];
