import { render } from 'preact';
import '@preact/signals';
import { App } from './app';
import { startRouter } from './lib/state';
import { applyTheme } from './views/header';
import './style/base.css';
import './style/controls.css';
import './style/top.css';
import './style/headline.css';
import './style/figures.css';
import './style/tables.css';
import './style/explore.css';
import './style/budgets.css';
import './style/health.css';
import './style/small.css';

applyTheme();
startRouter();
render(<App />, document.getElementById('app')!);
