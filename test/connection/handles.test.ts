import { describe, expect, test } from 'vitest';
import { Handles } from '../../src/connection/handles.js';

describe('the handles of a connection', () => {
  test('are open from when they are opened until they are forgotten', () => {
    const handles = new Handles<string>('target', 10);
    handles.open(7, 'seven');
    handles.open(8, 'eight');
    expect([handles.get(7), handles.get(8), handles.get(9)]).toEqual(['seven', 'eight', undefined]);
    expect([...handles.all()]).toEqual(['seven', 'eight']);
    handles.forget(7);
    expect([handles.get(7), handles.get(8)]).toEqual([undefined, 'eight']);
    handles.clear();
    expect([...handles.all(), handles.get(8)]).toEqual([undefined]);
  });

  test('are no more than the limit, and the error names the one that is too many', () => {
    const handles = new Handles<string>('target', 2);
    handles.open(1, 'a');
    handles.requireRoom(1);
    expect(() => {
      handles.requireRoom(2);
    }).toThrow(expect.objectContaining({ code: 'TOO_MANY_HANDLES', handle: undefined }));
    handles.open(2, 'b');
    expect(() => handles.open(3, 'c')).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_HANDLES', handle: 3 }),
    );
    expect(handles.get(3)).toBeUndefined();
  });

  test('of an initiator are retired once they were given out as protocol handles', () => {
    const handles = new Handles<string>('initiator', 10);
    expect([0, 1, 2].map((handle) => handles.isRetired(handle))).toEqual([false, false, false]);
    expect([handles.nextProtocolHandle(), handles.nextProtocolHandle()]).toEqual([1, 2]);
    expect([0, 1, 2, 3].map((handle) => handles.isRetired(handle))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test('of a target are never retired', () => {
    const handles = new Handles<string>('target', 10);
    handles.nextProtocolHandle();
    expect(handles.isRetired(1)).toBe(false);
  });

  test('that were closed before they were opened are known once, the last 64 of them', () => {
    const handles = new Handles<string>('initiator', 10);
    expect(handles.wasClosed(1)).toBe(false);
    for (let handle = 1; handle <= 64; handle += 1) handles.noteClose(handle);
    expect([handles.wasClosed(1), handles.wasClosed(1)]).toEqual([true, false]);
    for (let handle = 65; handle <= 66; handle += 1) handles.noteClose(handle);
    expect([2, 3, 66].map((handle) => handles.wasClosed(handle))).toEqual([false, true, true]);
  });

  test('of streams count down from 499999, past open ones, and begin again before 10000', () => {
    const handles = new Handles<string>('target', 1_000_000);
    handles.open(499_998, 'open');
    expect([handles.nextStreamHandle(), handles.nextStreamHandle()]).toEqual([499_999, 499_997]);
    handles.open(499_999, 'open');
    let last = 0;
    for (let count = 0; count < 489_997; count += 1) last = handles.nextStreamHandle();
    expect(last).toBe(10_000);
    expect(handles.nextStreamHandle()).toBe(499_997);
  });
});
