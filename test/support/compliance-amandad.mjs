#!/usr/bin/env node
// Stands in for an amandad that the local driver starts: serves the compliance suite's services on standard input and output.
import { listenStdio, serve } from '../../dist/index.js';
import { complianceServices } from '../../dist/testing/index.js';

serve(listenStdio({ auth: 'local' }), complianceServices).subscribe();
