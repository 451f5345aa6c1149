/// <summary>What can be seen of a process from inside.</summary>
internal static class Inside
{
    public static void MapInside(this WebApplication app)
    {
        app.MapGet("/inside/assemblies", () => AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name).Order());

        // As Linux shows them: each managed thread by the first 15 letters of its name, and each inotify instance as a descriptor.
        app.MapGet("/inside/threads", () => Directory.GetDirectories("/proc/self/task")
            .Select(thread => File.ReadAllText(Path.Combine(thread, "comm")).Trim()).Order());
        app.MapGet("/inside/watchers", () => Directory.GetFiles("/proc/self/fd")
            .Count(descriptor => File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.Name == "anon_inode:inotify"));
    }
}
