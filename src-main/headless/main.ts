import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { forkTrainer } from '../worker-host/forked-trainer';
import { RelayHost } from '../worker-host/relay-host';
import { Supervisor } from '../worker-host/supervisor';
import { runProgram } from '../program';
import { readHeadlessRun } from './options';
import { openOutput } from './output-file';
import { jsonReport, tableReport } from './report';
import { train } from './train';

/** @param entry address of the built program, beside which the worker lies */
export const main = (entry: string): Promise<void> =>
  runProgram(async ({ interrupted, say }) => {
    const run = readHeadlessRun(process.argv.slice(2));
    const output = run.saveTo === null ? null : openOutput(run.saveTo);
    // Between weights on stdout a report would be noise.
    const reportTo = output?.isStandardOutput === true ? process.stderr : process.stdout;
    const print = (line: string): void => {
      reportTo.write(`${line}\n`);
    };
    const report = run.json ? jsonReport(print) : tableReport(print);
    const host = new RelayHost(
      new Supervisor({ spawn: () => forkTrainer(fileURLToPath(new URL('worker.js', entry))) }),
    );
    try {
      return await Promise.race([
        train(run, () => host.connect(), report, output, say).then(() => 0),
        interrupted.then((signal) => 128 + constants.signals[signal]),
      ]);
    } finally {
      output?.close();
      await host.stop();
    }
  });
