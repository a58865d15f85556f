import { availableParallelism, cpus } from 'node:os';

/** All of the machine and the program that decides how fast engines are, as text. */
export function describeMachine(gradscopeVersion: string, environment: NodeJS.ProcessEnv): string {
  const { GRADSCOPE_THREADS: threads = '' } = environment;
  return [
    `Gradscope ${gradscopeVersion}`,
    `Node ${process.versions.node}`,
    `${process.platform} ${process.arch}`,
    `${String(availableParallelism())} x ${cpus()[0]?.model ?? 'unknown'}`,
    ...(threads === '' ? [] : [`GRADSCOPE_THREADS ${threads}`]),
  ].join(', ');
}
