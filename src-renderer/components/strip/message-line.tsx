import { useMemo, useState, type ReactElement } from 'react';
import { dismissLost, dismissNotice, dismissReplacement } from '../../state/actions';
import { messagesOf, type Message } from '../../state/messages';
import { useApp } from '../../state/store';
import { CloseIcon, WarnIcon } from '../icons';
import { usePage } from '../page-context';
import './message-line.css';

/**
 * The line under the phases: the gravest message, or nothing. It is always there and always as high, so that no message
 * moves the pictures.
 */
export function MessageLine(): ReactElement {
  const messages = useMessages();
  const [passedOver, setPassedOver] = useState(0);
  const gravest = messages[0];
  const [seen, setSeen] = useState(gravest);
  // What is new is shown first, whatever somebody was reading.
  if (seen?.kind !== gravest?.kind) {
    setSeen(gravest);
    setPassedOver(0);
  }
  const message = messages[passedOver % Math.max(1, messages.length)];
  const isAlarm = message !== undefined && message.tone !== 'plain';
  return (
    <div className="message-line" data-tone={message?.tone}>
      {/* Both are always there: a screen reader says what changes in a region that it knows. */}
      <div className="message" role="status" aria-label="Message" hidden={isAlarm}>
        {message !== undefined && !isAlarm && <Words message={message} />}
      </div>
      {isAlarm && (
        <div key={message.kind} className="message" role="alert" aria-label="Message">
          <WarnIcon />
          <Words message={message} />
        </div>
      )}
      {message !== undefined && <Answers message={message} />}
      {messages.length > 1 && (
        <button
          type="button"
          className="small-button"
          aria-label={`+${String(messages.length - 1)}, next message`}
          title={messages.map(({ what, why }) => `${what}: ${why}`).join('\n')}
          onClick={() => {
            setPassedOver(passedOver + 1);
          }}
        >
          +{messages.length - 1}
        </button>
      )}
    </div>
  );
}

function useMessages(): readonly Message[] {
  const connection = useApp((state) => state.connection);
  const status = useApp((state) => state.status);
  const notice = useApp((state) => state.notice);
  const nonFinite = useApp((state) => state.nonFinite);
  const lost = useApp((state) => state.lost);
  const silentSeconds = useApp((state) => state.silentSeconds);
  const replacementNews = useApp((state) => state.replacementNews);
  return useMemo(
    () => messagesOf({ connection, status, notice, nonFinite, lost, silentSeconds, replacementNews }),
    [connection, status, notice, nonFinite, lost, silentSeconds, replacementNews],
  );
}

function Words({ message: { kind, what, why, code } }: { message: Message }): ReactElement {
  return (
    <>
      <b>{what}</b>
      {/* What changes every second is not read out every second. */}
      <span className="why" title={why} aria-hidden={kind === 'silent'}>
        {why}
      </span>
      {code !== null && <code>{code}</code>}
    </>
  );
}

/** What can be done about it. */
function Answers({ message: { kind } }: { message: Message }): ReactElement | null {
  const { commands } = usePage();
  const isLost = useApp(({ connection }) => connection.state === 'lost');
  switch (kind) {
    case 'gone':
      return !isLost ? (
        <Dismiss onClick={dismissLost} />
      ) : (
        <button type="button" className="small-button" onClick={() => void commands.reconnect()}>
          Reconnect
        </button>
      );
    case 'refused':
    case 'remark':
      return <Dismiss onClick={dismissNotice} />;
    case 'weightsReplaced':
      return <Dismiss onClick={dismissReplacement} />;
    case 'finished':
      return <Continue />;
    case 'silent':
    case 'stopped':
    case 'nonFinite':
      return null;
  }
}

const Dismiss = ({ onClick }: { onClick: () => void }): ReactElement => (
  <button type="button" className="icon-button tiny" aria-label="Dismiss" onClick={onClick}>
    <CloseIcon />
  </button>
);

function Continue(): ReactElement {
  const { commands } = usePage();
  const [epochs, setEpochs] = useState(1);
  return (
    <>
      <span>go on for</span>
      <input
        type="number"
        className="field"
        aria-label="More epochs"
        min={1}
        max={999}
        value={epochs}
        onChange={({ currentTarget }) => {
          setEpochs(Math.max(1, Math.floor(Number(currentTarget.value))));
        }}
      />
      <span>{epochs === 1 ? 'epoch' : 'epochs'}</span>
      <button type="button" className="small-button" onClick={() => void commands.continueRun(epochs)}>
        Continue
      </button>
    </>
  );
}
