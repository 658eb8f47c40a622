import { render } from 'preact';
import '@preact/signals';
import { App } from './app';
import { startRouter } from './lib/state';
import { applyTheme } from './views/header';
import './style.css';

applyTheme();
startRouter();
render(<App />, document.getElementById('app')!);
