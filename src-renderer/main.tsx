import './no-eval';
import { connectorFor } from './feed/connector';
import { startPage } from './start';

const host = document.getElementById('page');
if (host === null) throw new Error('index.html has no element with the id "page".');
startPage(host, connectorFor(window));
