import { describe, expect, it } from 'vitest';
import { timingFor } from '../../src/cli/target.js';

describe('--timeout', () => {
  it('leaves the times of Amanda alone when it is not given', () => {
    expect(timingFor(undefined)).toEqual({});
  });

  it('bounds each step by itself, with one try to connect and one to get the reply', () => {
    expect(timingFor(3_000)).toEqual({ connectTimeout: 3_000, connectTries: 1, ackTimeout: 1_000, replyTimeout: 3_000, replyRestarts: 0 });
  });

  it('makes room for the tries of Amanda when it is long, and makes none of them longer', () => {
    expect(timingFor(600_000)).toEqual({ connectTimeout: 20_000, connectTries: 3, ackTimeout: 10_000, replyTimeout: 600_000, replyRestarts: 0 });
    expect(timingFor(50_000)).toMatchObject({ connectTries: 2 });
  });
});
