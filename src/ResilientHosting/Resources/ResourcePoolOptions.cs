namespace ResilientHosting.Resources;

/// <summary>Which idle object of a pool is handed out first.</summary>
public enum ResourcePoolOrder
{
    /// <summary>The one returned last: few objects stay warm, and the rest reach <see cref="ResourcePoolOptions{T}.IdleTimeout"/>.</summary>
    Lifo,

    /// <summary>The one returned first: all objects are used evenly.</summary>
    Fifo,
}

/// <summary>How a pool of resources behaves. All values may change while it is in use.</summary>
/// <typeparam name="T">The type of the resource.</typeparam>
public sealed class ResourcePoolOptions<T>
    where T : class
{
    /// <summary>How many objects exist at most, whatever they are doing: idle, in use, being created, validated or torn down.</summary>
    /// <value>Default 10. 1 to 100,000.</value>
    public int MaxSize { get; set; } = 10;

    /// <summary>How many objects are kept ready although nobody needs them. They are created in the background after the first use.</summary>
    /// <value>Default 0. At most <see cref="MaxSize"/>.</value>
    public int MinIdle { get; set; }

    /// <summary>
    /// How many objects may be created at the same time. A creation that has not answered within a second makes room for another one, so
    /// that a backend which swallows connections is still noticed when it recovers; at most twice this number are in flight.
    /// </summary>
    /// <value>Default 2. At least 1.</value>
    public int MaxConcurrentCreates { get; set; } = 2;

    /// <summary>How long a request waits for an object before it gets a <see cref="ResourceAcquireTimeoutException"/>.</summary>
    /// <value>Default 30 s. More than zero, at most one day.</value>
    public TimeSpan AcquireTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many may wait for an object that is in use. One more gets a <see cref="ResourceAcquireTimeoutException"/> at once. Those for whom
    /// there is room in the pool are not counted.
    /// </summary>
    /// <value>Default <see langword="null"/>: any number. Zero or more.</value>
    public int? MaxWaiters { get; set; }

    /// <summary>How long an object is used before it is replaced. It is never taken from its user; its age is looked at when it is idle.</summary>
    /// <value>Default 30 min. More than zero, or <see cref="Timeout.InfiniteTimeSpan"/>.</value>
    public TimeSpan MaxLifetime { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>By which part of <see cref="MaxLifetime"/> an object's own lifetime may differ, so that not all end together.</summary>
    /// <value>Default 0.1: 10 % more or less. 0 to 0.5.</value>
    public double LifetimeJitter { get; set; } = 0.1;

    /// <summary>How long an object stays idle before it is torn down, unless <see cref="MinIdle"/> keeps it.</summary>
    /// <value>Default 5 min. More than zero, or <see cref="Timeout.InfiniteTimeSpan"/>.</value>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether an idle object still works. It is asked before an object is handed out that was idle for longer than
    /// <see cref="ValidationBypass"/>, whose last user failed, or that is as old as one that turned out to be broken. False, an exception
    /// or a time-out means no: the object is torn down.
    /// </summary>
    /// <value>Default <see langword="null"/>: objects are taken for working.</value>
    public Func<T, CancellationToken, ValueTask<bool>>? Validate { get; set; }

    /// <summary>How long an idle object is taken for working without <see cref="Validate"/>.</summary>
    /// <value>Default 1 s. Zero or more, at most one day.</value>
    public TimeSpan ValidationBypass { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long <see cref="Validate"/> may take.</summary>
    /// <value>Default 5 s. More than zero, at most one day.</value>
    public TimeSpan ValidationTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Makes an object ready for its next user when a scope gives it back, and sees how the scope ended. False or an exception means that
    /// it cannot be used again: it is torn down. Runs within the scope's teardown, under its deadline.
    /// </summary>
    /// <value>Default <see langword="null"/>: nothing to do.</value>
    public Func<T, TeardownContext, ValueTask<bool>>? Reset { get; set; }

    /// <summary>Which idle object is handed out first.</summary>
    /// <value>Default <see cref="ResourcePoolOrder.Lifo"/>.</value>
    public ResourcePoolOrder Order { get; set; }

    /// <summary>
    /// For which part of all leases the stack of whoever takes one is kept, to be shown if the object is held for longer than
    /// <see cref="RequestResourceOptions.HeldWarningThreshold"/>. Taking a stack down costs some ten microseconds.
    /// </summary>
    /// <value>Default 0: for none. Up to 1: for every lease; 0.001 is one in a thousand.</value>
    public double LeakStackSampling { get; set; }
}
