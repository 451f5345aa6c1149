using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ResilientHosting.Reloading;

/// <summary>What keeps a retired generation in memory, in words.</summary>
/// <param name="What">The holder, by name, and what it holds.</param>
/// <param name="Hint">What to do about it.</param>
internal sealed record LeakCause(string What, string Hint)
{
    private const int MaxNamesInAPath = 6;

    /// <summary>Gets which one it is, where every generation has another: causes that differ in this alone are said once.</summary>
    public string Which { get; init; } = "";

    /// <summary>Gets a value indicating whether nothing was found.</summary>
    public bool IsUnknown { get; init; }

    /// <summary>Gets a value indicating whether it goes away by itself in a few minutes.</summary>
    public bool IsTemporary { get; init; }

    /// <summary>No field leads to the generation, and no thread is known to run its code.</summary>
    public static LeakCause Unknown(IReadOnlyList<string> threadStarts) => new(
        "something that reflection can't reach, probably the stack of a thread or a native handle",
        threadStarts.Count == 0
            ? "look for threads, callbacks and handles that outlive the host"
            : $"it starts threads with {string.Join(", ", threadStarts)}: end them when IHostApplicationLifetime.ApplicationStopping fires")
    {
        IsUnknown = true,
    };

    /// <summary>The search gave up before it had seen everything.</summary>
    public static LeakCause NotFound { get; } = new("something among more objects than were looked at", "look for static fields, events and threads");

    public static LeakCause Of(Thread thread, IReadOnlyList<string> threadStarts)
    {
        var name = thread.Name is null ? "" : $" \"{thread.Name}\"";
        var which = $" (managed thread {thread.ManagedThreadId}, {(thread.ThreadState.HasFlag(System.Threading.ThreadState.WaitSleepJoin) ? "waiting" : "running")})";
        if (thread.IsThreadPoolThread)
        {
            return new("work on the thread pool that doesn't end", "pass it a CancellationToken: IHostApplicationLifetime.ApplicationStopping")
            {
                Which = which,
            };
        }

        var code = threadStarts.Count == 0 ? "" : $", whose generation starts threads with {string.Join(", ", threadStarts)}";
        return new($"the thread{name}{code}", "end it when IHostApplicationLifetime.ApplicationStopping fires")
        {
            Which = which,
        };
    }

    [RequiresUnreferencedCode("Looks at events.")]
    public static LeakCause Of(HeapPath path)
    {
        var held = Describe(path);
        var way = Way(path);
        if (path.Steps.FirstOrDefault(step => step.Value.GetType().FullName == "System.Threading.TimerQueueTimer").Value is not null)
        {
            var handlers = path.Steps.Any(step => step.Value.GetType().Name == "ActiveHandlerTrackingEntry");
            return new($"a timer that runs {held}", handlers
                ? "IHttpClientFactory keeps its handlers for 2 minutes (HandlerLifetime), then it goes by itself"
                : "dispose of it, or cancel it when IHostApplicationLifetime.ApplicationStopping fires")
            {
                IsTemporary = handlers,
            };
        }

        if (path.Root.DeclaringType?.FullName == "System.Net.Sockets.SocketAsyncEngine")
        {
            return new("a connection that is still open", "it goes with the connection")
            {
                IsTemporary = true,
            };
        }

        if (path.Root.DeclaringType == typeof(DiagnosticListener))
        {
            return new($"a subscription to DiagnosticListener.AllListeners: {held}", "dispose of it when the host stops");
        }

        if (path.Root.DeclaringType == typeof(AppContext) && path.Root.Name == "s_dataStore")
        {
            return new($"AppContext.SetData: {held}", "keep nothing of the application's own types there");
        }

        if (path.Root.DeclaringType?.Assembly.GetName().Name == "Microsoft.CSharp")
        {
            return new($"C# dynamic ({way} -> {held})", "the runtime's binder never forgets a type: avoid dynamic, or restart the process now and then");
        }

        return EventOf(path) is { } raised
            ? new($"event {raised}: {held}", "unsubscribe when the host stops, or use IHostApplicationLifetime")
            : new($"static field {way} -> {held}", "take it out when the host stops (IHostApplicationLifetime.ApplicationStopping)");
    }

    private static string Describe(HeapPath path)
    {
        // A closure is less telling than the lambda that it is for.
        if (path.Target is not Delegate && path.Steps is [.., { Value: Delegate caller }, _])
        {
            return CodeNames.Of(caller.Method);
        }

        return path.Target switch
        {
            Delegate method => CodeNames.Of(method.Method),
            Type type => "the type " + CodeNames.Of(type),
            MethodBase method => "the method " + CodeNames.Of(method),
            Assembly assembly => "the assembly " + assembly.GetName().Name,
            System.Runtime.Loader.AssemblyLoadContext => "its assemblies",
            var other => CodeNames.Of(other.GetType()),
        };
    }

    /// <summary>The static field, and the fields from there on, without the insides of collections and delegates.</summary>
    private static string Way(HeapPath path)
    {
        var names = new List<string> { $"{Owner(path.Root)}.{Plain(path.Root)}" };
        for (var i = 1; i < path.Steps.Count; i++)
        {
            var container = path.Steps[i - 1].Value.GetType();
            var inside = path.Steps[i].Label is not FieldInfo
                || container.IsArray
                || container.Namespace?.StartsWith("System.Collections", StringComparison.Ordinal) == true;
            if (inside)
            {
                if (!names[^1].EndsWith(HeapStep.Element, StringComparison.Ordinal))
                {
                    names[^1] += HeapStep.Element;
                }
            }
            else if (!container.IsAssignableTo(typeof(Delegate)))
            {
                names.Add(Plain((FieldInfo)path.Steps[i].Label));
            }
        }

        return string.Join('.', names.Count <= MaxNamesInAPath ? names : [.. names[..3], "…", .. names[^2..]]);
    }

    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "An event that was trimmed away has no subscribers.")]
    private static string? EventOf(HeapPath path)
    {
        foreach (var step in path.Steps.Reverse())
        {
            if (step is { Value: Delegate, Label: FieldInfo field }
                && field.DeclaringType?.GetEvent(
                    Plain(field), BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic) is not null)
            {
                return $"{Owner(field)}.{Plain(field)}";
            }
        }

        return null;
    }

    /// <summary>Events of the process are AppDomain's for everybody but the core library.</summary>
    private static string Owner(FieldInfo field) =>
        field.DeclaringType == typeof(AppContext) ? nameof(AppDomain) : CodeNames.Of(field.DeclaringType!);

    /// <summary>The name of a field, or of the property that it is for.</summary>
    private static string Plain(FieldInfo field) =>
        field.Name.StartsWith('<') && field.Name.IndexOf('>', StringComparison.Ordinal) is > 1 and var end ? field.Name[1..end] : field.Name;
}
