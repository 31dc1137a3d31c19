#!/usr/bin/env node
import { main } from './main.js';
import { processSurroundings } from './surroundings.js';

// No process.exit: what is cancelled still removes its files and ends its children.
process.exitCode = await main(process.argv.slice(2), processSurroundings);
