import { createServer, type Server, type ServerResponse } from 'node:http';
import { Observable, Subject } from 'rxjs';
import { listenFailed } from '../../transport/listen-failed.js';
import type { TapChange } from '../../tap/tap-change.js';
import { OpenPages } from './open-pages.js';
import { newToken } from './gate.js';
import { TapHistory, type HistoryLimits } from './history.js';
import { feedPage } from './page-feed.js';
import { pageDocument, readPageParts, type PageParts } from './page-document.js';
import { answerPageRequest } from './page-requests.js';
import { SilentConnections } from './silent-connections.js';

export interface TapPageOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** The address to listen on; default `127.0.0.1`, which only this machine can reach. */
  readonly host?: string | undefined;
  /** The most open pages; default 8. */
  readonly pages?: number | undefined;
  readonly limits?: HistoryLimits | undefined;
  /** The parts of the page; default: those of the build. */
  readonly parts?: PageParts | undefined;
}

export type PageEvent =
  /** The server listens. The URL carries the token, so anyone who has it sees everything. */
  | { readonly kind: 'listening'; readonly url: string; readonly port: number }
  /** The number of open pages changed. */
  | { readonly kind: 'pages'; readonly count: number };

/**
 * Serves a web page that shows the conversations of a tap live.
 *
 *     changes  -o-c-c-c-x-|
 *     events   l----p------p-   l: listening, p: the number of pages changed
 *
 * Cold: subscribing subscribes `changes` and listens; unsubscribing ends both and all pages. When
 * `changes` completes, the pages stay usable. Errors as `changes` does, with `CONNECT_FAILED` when
 * it cannot listen, and with `FILE_FAILED` when the page is not built.
 */
export function serveTapPage(
  changes: Observable<TapChange>,
  { port, host = '127.0.0.1', pages = 8, limits, parts }: TapPageOptions,
): Observable<PageEvent> {
  return new Observable((out) => {
    const document = pageDocument(parts ?? readPageParts());
    const token = newToken();
    const history = new TapHistory(limits);
    const updates = new Subject<void>();
    let isOver = false;
    const openPages = new OpenPages(pages, (count) => out.next({ kind: 'pages', count }));
    // A page has an event stream, and now and then another request.
    const silent = new SilentConnections(8 * pages);
    const server = createServer(serverLimits, (request, response) => {
      const follow = (page: ServerResponse, known: number | undefined): void => {
        openPages.admit(page, feedPage(page, known, { history, updates, isOver: () => isOver }));
      };
      answerPageRequest(request, response, {
        token,
        host,
        document,
        admitted: () => silent.keep(response),
        diagram: (connection, range) => history.diagram(connection, range),
        follow,
      });
    });
    server.maxConnections = 16 * pages;
    server.on('connection', (socket) => silent.add(socket));
    server.on('error', (cause) => {
      out.error(listenFailed(`${host} port ${port} for the web page`, cause));
    });
    server.listen({ port, host }, () => {
      out.next({ kind: 'listening', ...placeOf(server, host, token) });
    });
    out.add(() => {
      openPages.close();
      server.close();
      server.closeAllConnections();
    });
    out.add(
      changes.subscribe({
        next: (change) => {
          history.take(change);
          updates.next();
        },
        error: (error: unknown) => out.error(error),
        complete: () => {
          isOver = true;
          updates.next();
        },
      }),
    );
  });
}

/** Milliseconds and bytes that a request may take to arrive. */
const serverLimits = {
  maxHeaderSize: 8 << 10,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
} as const;

function placeOf(
  server: Server,
  host: string,
  token: string,
): { readonly url: string; readonly port: number } {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/${token}/`, port };
}
