import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import type { PageParts } from '../../src/cli/web/page-document.js';

const bundler = pathToFileURL(join(import.meta.dirname, '../../scripts/bundle.mjs')).href;
const { pageParts } = (await import(bundler)) as { pageParts: () => Promise<PageParts> };

/** The page as the build makes it of this checkout, so that a test needs no build. */
export const parts = await pageParts();
