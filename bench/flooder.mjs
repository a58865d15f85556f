// Started by bench/floods.ts: one client that sends a message very often, as fast as its socket takes it.
import { WebSocket } from 'ws';

/**
 * @typedef {object} Flood
 * @property {string} url
 * @property {number} count messages
 * @property {string[]} first said before
 * @property {string[]} texts heads of the messages, in turns; `"id":0` becomes a number of its own in each
 * @property {number} payloadBytes of each message; 0: none
 * @property {boolean} reads whether it reads what it is told
 */

process.on('message', (raw) => {
  flood(/** @type {Flood} */ (raw));
});

/** @param {Flood} flood */
function flood({ url, count, first, texts, payloadBytes, reads }) {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 2 ** 30 });
  const payload = Buffer.alloc(payloadBytes);
  let sent = 0;
  let answered = 0;
  let code = '';
  const isMuch = () => socket.bufferedAmount > 16 * 1024 * 1024;
  const goOn = () => {
    while (sent < count && socket.readyState === WebSocket.OPEN && !isMuch()) {
      const text = (texts[sent % texts.length] ?? '').replace('"id":0', `"id":${String(sent)}`);
      sent += 1;
      socket.send(payloadBytes === 0 ? text : envelope(text, payload), isMuch() ? goOn : undefined);
    }
  };
  socket.on('open', () => {
    for (const text of ['{"type":"hello","protocol":1}', ...first]) socket.send(text);
    goOn();
    process.send?.('begun');
    if (!reads) socket.pause();
  });
  socket.on('message', (/** @type {Buffer} */ data, isBinary) => {
    answered += 1;
    if (isBinary) return;
    const text = data.toString();
    if (text.startsWith('{"type":"goodbye"')) code = text;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    process.send?.({ sent, answered, code: code === '' ? 'closed' : code });
  });
  const timer = setInterval(() => {
    process.send?.({ sent, answered, code });
  }, 500);
  process.on('disconnect', () => {
    clearInterval(timer);
    process.exit();
  });
}

/** @param {string} head @param {Buffer} payload */
function envelope(head, payload) {
  const bytes = Buffer.from(head);
  const start = Math.ceil((8 + bytes.length) / 8) * 8;
  const whole = Buffer.alloc(start + payload.length);
  whole.writeUInt32LE(0x31435347, 0);
  whole.writeUInt32LE(bytes.length, 4);
  bytes.copy(whole, 8);
  payload.copy(whole, start);
  return whole;
}
