using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Reloading;

/// <summary>Runs the application's <c>Main</c> again, as the process did at its own start.</summary>
[RequiresUnreferencedCode("Runs the application again.")]
internal static class EntryPoint
{
    /// <summary>Starts it on a thread of its own; the generation tells how it goes.</summary>
    /// <param name="generation">The life that begins.</param>
    /// <param name="application">The assembly to run.</param>
    /// <param name="onHostBuilding">Called for each host that the application builds, before it is built.</param>
    public static void Run(Generation generation, Assembly application, Action<IHostBuilder> onHostBuilding)
    {
        var thread = new Thread(() => RunToEnd(generation, application, onHostBuilding))
        {
            Name = $"generation {generation.Number}",
            IsBackground = true,
        };

        // The application must not see the context of the generation whose edit brought it here.
        thread.UnsafeStart();
    }

    private static void RunToEnd(Generation generation, Assembly application, Action<IHostBuilder> onHostBuilding)
    {
        Generation.Current = generation;
        try
        {
            using var events = new HostEvents(
                generation,
                host =>
                {
                    generation.ThrowIfGivenUp();
                    onHostBuilding(host);
                },
                generation.Track);
            using var reflection = generation.EnterContextualReflection();
            Assembly.SetEntryAssembly(application);

            var main = application.EntryPoint ?? throw new InvalidOperationException($"{application.GetName().Name} has no entry point.");
            var arguments = main.GetParameters().Length == 0 ? null : new object[] { Environment.GetCommandLineArgs()[1..] };
            var exitCode = main.Invoke(null, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null);
            generation.SetFinished(exitCode as int? ?? Environment.ExitCode);
        }
#pragma warning disable CA1031 // A failing application is an outcome here, not a reason for the process to end.
        catch (Exception e)
#pragma warning restore CA1031
        {
            generation.SetFinished(e);
        }
    }
}
