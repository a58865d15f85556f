import { contextBridge, ipcRenderer } from 'electron';
import { exposeShell } from './preload-bridge';

exposeShell({ contextBridge, ipcRenderer }, window);
