import type { PageMessage } from '../page-messages.js';

/** Milliseconds after which a refused page asks again. */
const AGAIN = 5_000;

/**
 * Listens to the server's events. The browser reconnects by itself and resumes after the last
 * event; a refused page asks again later.
 */
export function listen(
  onMessages: (messages: readonly PageMessage[]) => void,
  onLink: (words: string, isGood: boolean) => void,
): void {
  const source = new EventSource('events');
  source.addEventListener('open', () => onLink('live', true));
  source.addEventListener('message', ({ data }: MessageEvent<string>) => {
    onMessages(JSON.parse(data) as readonly PageMessage[]);
  });
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) {
      onLink('The server refuses this page; are too many open? It asks again.', false);
      setTimeout(() => listen(onMessages, onLink), AGAIN);
    } else onLink('The tap cannot be reached; this is what was known. It tries again.', false);
  });
}
