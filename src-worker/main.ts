import { beforeHostIsGone } from './hub/watch-host';
import { DEFAULT_RUN_CONFIG } from '../src-shared/model/run-config';
import { type ElectronParentPort, listenToElectron } from './hub/electron-port';
import { Hub } from './hub/hub';
import { packageVersion, readOptions } from './hub/process-options';
import { listenToRelay } from './hub/relay';
import { prepareTensorFlow } from './engine/tensorflow/environment';
import { spawnThread } from './hub/spawn-thread';

/**
 * The trainer process: joins the hub to whichever host has spawned it (src-shared/protocol/host-messages.ts).
 * @param entry address of the built program, beside which the training thread lies
 */
export function main(entry: string): void {
  prepareTensorFlow();
  const { config, dataFolder } = readOptions(process.argv[2]);
  const hub = new Hub({
    config: config ?? DEFAULT_RUN_CONFIG,
    version: packageVersion(entry),
    wallClock: () => performance.timeOrigin + performance.now(),
    spawnThread: (firstRunId, events) =>
      spawnThread(new URL('./training-thread.js', entry), dataFolder, firstRunId, events),
  });
  const addClient = hub.addClient.bind(hub);
  beforeHostIsGone(() => hub.close());

  const { parentPort } = process as { readonly parentPort?: ElectronParentPort };
  if (parentPort !== undefined) listenToElectron(parentPort, addClient);
  else {
    listenToRelay(
      {
        send: (message, sent) => process.send?.(message, undefined, undefined, sent),
        onMessage: (receiver) => process.on('message', receiver),
      },
      addClient,
    );
  }
}
