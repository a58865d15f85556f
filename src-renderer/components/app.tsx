import type { ReactElement } from 'react';

export function App(): ReactElement {
  return (
    <div className="app">
      <header className="bar" />
      <aside className="left" />
      <main className="mid" />
      <aside className="right" />
    </div>
  );
}
