import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, it } from 'vitest';
import { MailboxSender, sharedCounter, SharedMailbox } from './mailbox';

const channels: MessageChannel[] = [];
afterEach(() => {
  for (const channel of channels.splice(0)) channel.port1.close();
});

function mailbox(): { box: SharedMailbox<string>; sender: MailboxSender<string> } {
  const channel = new MessageChannel();
  channels.push(channel);
  const counter = sharedCounter();
  return {
    box: new SharedMailbox(channel.port2, counter),
    sender: new MailboxSender(channel.port1, counter),
  };
}

it('has mail as soon as something was posted, and none once all was taken', () => {
  const { box, sender } = mailbox();
  expect(box.hasMail()).toBe(false);
  sender.post('a');
  sender.post('b');
  expect(box.hasMail()).toBe(true);
  expect([box.take(), box.take(), box.take()]).toEqual(['a', 'b', undefined]);
  expect(box.hasMail()).toBe(false);
});

it('does not sleep over a command that was posted before it went to sleep', () => {
  const { box, sender } = mailbox();
  expect(box.take()).toBeUndefined();
  sender.post('late');
  // Would block for ever if the count were not compared with what was last seen.
  box.wait(Infinity);
  expect(box.take()).toBe('late');
});
