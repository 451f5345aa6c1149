namespace ResilientHosting.Reloading;

/// <summary>How the reloader learns that a file changed.</summary>
public enum WatchMode
{
    /// <summary>
    /// For each folder what its file system allows: events of the operating system, with a regular sweep of the files as the safety net, or
    /// frequent sweeps where events don't tell of every change (network shares, container mounts, unknown types) or have failed to.
    /// </summary>
    Auto,

    /// <summary>Events of the operating system alone, for any file system. Only folders that can't be watched are swept.</summary>
    Events,

    /// <summary>Frequent sweeps alone.</summary>
    Polling,
}

/// <summary>Options of the development reloader. Outside the Development environment none of them has any effect.</summary>
public sealed class DevReloaderOptions
{
    /// <summary>Gets or sets a value indicating whether the reloader runs at all.</summary>
    /// <value>The default is <see langword="true"/>.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>Gets or sets the project file of the application.</summary>
    /// <value>The default, <see langword="null"/>, finds it from the application's debug symbols.</value>
    public string? ProjectPath { get; set; }

    /// <summary>Gets or sets how changes are noticed.</summary>
    /// <value>
    /// The default is <see cref="WatchMode.Auto"/>, or <see cref="WatchMode.Polling"/> when the environment variable
    /// <c>DOTNET_USE_POLLING_FILE_WATCHER</c> is 1 or true.
    /// </value>
    public WatchMode Watch { get; set; } = PollingIsForced ? WatchMode.Polling : WatchMode.Auto;

    /// <summary>Gets or sets the time between two sweeps of the source files.</summary>
    /// <value>
    /// The default is 1 second, or 300 milliseconds for folders of which events don't tell everything; longer where a sweep takes long, so
    /// that sweeps beside events cost less than one percent of a core. From 50 milliseconds to 1 minute.
    /// </value>
    public TimeSpan? PollingInterval { get; set; }

    /// <summary>Gets or sets how long no file may change before a reload starts, so that one save is one reload.</summary>
    /// <value>The default is 10 milliseconds. From 0 to 10 seconds. The build runs meanwhile, so a quiet period costs nothing.</value>
    public TimeSpan QuietPeriod { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Gets or sets a file whose touch asks for a reload, whether or not a source has changed.</summary>
    /// <value>
    /// A path, relative to the project's folder unless it is absolute. The default is <see langword="null"/>: no such file. It need not
    /// exist; creating it counts as a touch.
    /// </value>
    public string? TriggerFile { get; set; }

    /// <summary>Gets or sets how long requests of the old generation may take to finish before they are cut.</summary>
    /// <value>
    /// The default is 500 milliseconds. From 0 to 1 minute. Event streams and WebSockets never end by themselves and are cut at once.
    /// </value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Gets or sets how long a request waits for the next generation before it is answered with 503.</summary>
    /// <value>
    /// The default is 1 minute. From 1 second to 10 minutes. Longer than <see cref="StartTimeout"/>, requests outlast a start that
    /// hangs, and are answered by the last good version.
    /// </value>
    public TimeSpan HoldTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets or sets how many requests may wait for the next generation; more are answered with 503.</summary>
    /// <value>The default is 10,000. At least 1.</value>
    public int MaxHeldRequests { get; set; } = 10_000;

    /// <summary>Gets or sets how long a new generation may take to start before the last good one is started again.</summary>
    /// <value>The default is 30 seconds. From 1 second to 10 minutes.</value>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets a value indicating whether a configuration file that the application reads again by itself starts it again all the
    /// same. Set it if settings are read at the start and kept.
    /// </summary>
    /// <value>The default is <see langword="false"/>. Configuration that is read at the start alone always starts the application again.</value>
    public bool RestartOnConfigurationChange { get; set; }

    /// <summary>
    /// Gets or sets a value indicating whether the pages that a browser opens get a script that refreshes them after a reload, replaces
    /// their style sheets, and shows what is wrong with the latest edit.
    /// </summary>
    /// <value>The default is <see langword="true"/>. Only whole pages get it, and only where <c>/_dev</c> may be read.</value>
    public bool RefreshBrowser { get; set; } = true;

    /// <summary>Gets or sets a value indicating whether other machines may read <c>/_dev</c>, which shows errors and pieces of source code.</summary>
    /// <value>The default is <see langword="false"/>: the loopback address alone, and no proxy that speaks for somebody else.</value>
    public bool AllowRemoteAccess { get; set; }

    /// <summary>Gets the names, besides <c>localhost</c> and addresses, under which <c>/_dev</c> may be asked for.</summary>
    /// <value>Host names without port, such as <c>shop.test</c>. The default is none: a name may belong to somebody who points it here.</value>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Gets or sets a file to which each reload is appended, as one line of JSON.</summary>
    /// <value>A path, relative to the project's folder unless it is absolute. The default is <see langword="null"/>: no such file.</value>
    public string? EventFile { get; set; }

    /// <summary>Gets or sets the editor that opens the places which errors name.</summary>
    /// <value>
    /// <c>vscode</c>, <c>vscode-insiders</c>, <c>vscodium</c>, <c>cursor</c>, <c>windsurf</c>, <c>zed</c>, <c>rider</c>, or a URI that the
    /// editor has registered, with <c>{file}</c> and perhaps <c>{line}</c> and <c>{column}</c> in it; <see langword="null"/> for no links.
    /// The default is the editor in whose terminal the process was started, as far as it can be told, and <c>vscode</c> otherwise.
    /// </value>
    public string? Editor { get; set; } = EditorLinks.OfThisTerminal;

    private static bool PollingIsForced =>
        Environment.GetEnvironmentVariable("DOTNET_USE_POLLING_FILE_WATCHER") is "1" or "true" or "True" or "TRUE";
}
