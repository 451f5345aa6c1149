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

    private static bool PollingIsForced =>
        Environment.GetEnvironmentVariable("DOTNET_USE_POLLING_FILE_WATCHER") is "1" or "true" or "True" or "TRUE";
}
