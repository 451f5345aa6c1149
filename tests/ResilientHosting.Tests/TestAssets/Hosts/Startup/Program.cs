namespace Startup;

public static class Program
{
    public static void Main(string[] args) => CreateHostBuilder(args).Build().Run();

    // The server is configured behind the start-up class, as it is in many an application.
    public static IHostBuilder CreateHostBuilder(string[] args) => Host.CreateDefaultBuilder(args).ConfigureWebHostDefaults(web =>
    {
        web.UseStartup<Startup>();
        web.UseKestrel(kestrel => kestrel.AddServerHeader = false);
    });
}
