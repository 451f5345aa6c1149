namespace Startup;

public static class Program
{
    public static void Main(string[] args) => CreateHostBuilder(args).Build().Run();

    public static IHostBuilder CreateHostBuilder(string[] args)
    {
        // The server is configured behind the start-up class, as it is in many an application.
        var builder = Host.CreateDefaultBuilder(args).ConfigureWebHostDefaults(web =>
        {
            web.UseStartup<Startup>();
            web.UseKestrel(kestrel => kestrel.AddServerHeader = false);
        });

        return args.Contains("--OwnContainer=true")
            ? builder.UseServiceProviderFactory(new DefaultServiceProviderFactory())
            : builder;
    }
}
